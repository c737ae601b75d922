// Ids of jobs: <name>-<six letters or digits>.
#ifndef RM_RUNTIME_COORDINATOR_JOB_ID_H_
#define RM_RUNTIME_COORDINATOR_JOB_ID_H_

#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"

namespace rm::coordinator {

// "mnist-convnet-k3v7qa": the low 30 bits of `bits` in base 32 (a–z, 2–7). Pure.
[[nodiscard]] std::string MakeJobId(absl::string_view name, uint64_t bits);

}  // namespace rm::coordinator

#endif  // RM_RUNTIME_COORDINATOR_JOB_ID_H_
