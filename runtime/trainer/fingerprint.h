// What the bits of a training step depend on beside the job: instruction set, libraries, caches,
// threads, and the kernels that were chosen.
//
// In exact mode all ranks of a gang must be alike in this, and so must the ranks of a later
// generation: a kernel for another instruction set adds in another order.
#ifndef RM_RUNTIME_TRAINER_FINGERPRINT_H_
#define RM_RUNTIME_TRAINER_FINGERPRINT_H_

#include <string>

#include "absl/status/status.h"
#include "comm/collective/communicator.h"
#include "runtime/graph/program.h"

namespace rm::trainer {

// "ISA x86-64-v4, oneDNN 2.7.2, caches 32 KiB 1 MiB 32 MiB, 1 thread, plan 0123456789ab": the plan is
// a hash over the nodes of the program, their shapes, layouts and kernels.
[[nodiscard]] std::string FingerprintOf(const graph::Program& program, int threads);

// Collective: FailedPrecondition on every rank, naming the first rank that differs from rank 0 and
// both fingerprints, unless all are equal.
[[nodiscard]] absl::Status CheckFingerprints(comm::Communicator& communicator,
                                             const std::string& mine);

}  // namespace rm::trainer

#endif  // RM_RUNTIME_TRAINER_FINGERPRINT_H_
