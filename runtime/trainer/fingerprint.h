// What the bits of a training step depend on beside the job: instruction set, libraries, caches,
// threads, and the kernels that were chosen.
//
//   rank 0, first generation   Plan = {threads, bucket bytes, wire dtype}          AgreeOnPlan
//   every rank                 compiles by it; fingerprint = machine + Plan + kernels
//   exact mode                 equal on all ranks                                  CheckFingerprints
//                              equal to the job's and to the checkpoint's, where
//                              there is a checkpoint to go on from                 CheckContinues
//   coordinator, trainer.json  keep Plan and fingerprint for the generations to come
//
// In exact mode all ranks of a gang must be alike in this, and so must the ranks of a later
// generation: a kernel for another instruction set adds in another order. In fast mode nothing is
// refused: a generation on other machines makes the Plan anew, and each rank has its own threads.
#ifndef RM_RUNTIME_TRAINER_FINGERPRINT_H_
#define RM_RUNTIME_TRAINER_FINGERPRINT_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "comm/collective/communicator.h"
#include "proto/scheduler.pb.h"
#include "runtime/graph/program.h"

namespace rm::trainer {

// "ISA x86-64-v4, oneDNN 2.7.2, caches 32 KiB 1 MiB 32 MiB, 1 thread, plan 0123456789ab", with the
// precision before the plan where it is not fp32: the plan is a hash over the nodes of the program,
// their types, layouts and kernels, and over what else the Plan says. Its own fingerprint is not looked at.
[[nodiscard]] std::string FingerprintOf(const graph::Program& program,
                                        const ringmaster::v1::Plan& plan);

// Collective: the plan that every rank is to follow, as rank 0 has it. That is `kept`, the job's,
// where an earlier generation made one, else rank 0's `own`. What other ranks give is ignored.
[[nodiscard]] absl::StatusOr<ringmaster::v1::Plan> AgreeOnPlan(comm::Communicator& communicator,
                                                               const ringmaster::v1::Plan& kept,
                                                               const ringmaster::v1::Plan& own);

// Collective: FailedPrecondition on every rank, naming the first rank that differs from rank 0 and
// both fingerprints, unless all are equal.
[[nodiscard]] absl::Status CheckFingerprints(comm::Communicator& communicator,
                                             const std::string& mine);

// FailedPrecondition, with both fingerprints and what to do, unless what was trained so far
// (`before`, of `what`: "checkpoint step-…") was computed as it would be from here on (`now`).
[[nodiscard]] absl::Status CheckContinues(const std::string& what, const std::string& before,
                                          const std::string& now);

}  // namespace rm::trainer

#endif  // RM_RUNTIME_TRAINER_FINGERPRINT_H_
