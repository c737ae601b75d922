// Records and explanations as a script shows them.
#ifndef RM_TESTS_SCENARIO_PRINT_H_
#define RM_TESTS_SCENARIO_PRINT_H_

#include <string>
#include <vector>

#include "absl/time/time.h"
#include "proto/api.pb.h"
#include "proto/scheduler.pb.h"

namespace rm::scenario {

namespace pb = ::ringmaster::v1;

// One line each: refusals, transitions of workers, transitions of jobs, actions.
std::vector<std::string> PrintRecord(const pb::JournalRecord& record);

std::vector<std::string> PrintExplanation(const pb::Explanation& explanation);

// "wake 12s" (since `start`), or "wake never".
std::string PrintWakeUp(absl::Time wake_up, absl::Time start);

}  // namespace rm::scenario

#endif  // RM_TESTS_SCENARIO_PRINT_H_
