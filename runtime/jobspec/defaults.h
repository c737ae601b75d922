// The defaults of the table, put where a file gives nothing.
#ifndef RM_RUNTIME_JOBSPEC_DEFAULTS_H_
#define RM_RUNTIME_JOBSPEC_DEFAULTS_H_

#include <set>
#include <string>

#include "proto/job.pb.h"

namespace rm::jobspec {

// Sets every key with a default that is not in `given` (paths of keys), unless a rival of it is.
void FillDefaults(const std::set<std::string>& given, ringmaster::v1::JobSpec* spec);

}  // namespace rm::jobspec

#endif  // RM_RUNTIME_JOBSPEC_DEFAULTS_H_
