// Events as tests write them: one function each, with what a test seldom cares about filled in.
//
// For tests only. Pure functions.
#ifndef RM_SCHEDULER_CORE_EVENT_TESTING_H_
#define RM_SCHEDULER_CORE_EVENT_TESTING_H_

#include <string>
#include <vector>

#include "proto/scheduler.pb.h"

namespace rm::scheduler::testing {

namespace pb = ::ringmaster::v1;

// `ranks` ranks of one slot each, priority 50, 5 restarts, 30 s of grace, 5 minutes of recovery
// grace, no other limit.
pb::Event Submit(const std::string& job, int ranks);
pb::Event Cancel(const std::string& job);
pb::Event Kill(const std::string& job);
pb::Event Pause(const std::string& job);
pb::Event Resume(const std::string& job);
pb::Event Verdict(const std::string& job, const std::vector<std::string>& errors);

// The host is "h-" and the id.
pb::Event Attach(const std::string& worker, int slots);
pb::Event Attach(const std::string& worker, int slots, const std::vector<pb::RankRef>& running);
// Attached, but it does not see the storage.
pb::Event AttachApart(const std::string& worker, int slots,
                      const std::vector<pb::RankRef>& running = {});
pb::Event Lost(const std::string& worker);
pb::Event Silent(const std::string& worker);
pb::Event Heard(const std::string& worker);
pb::Event Started();
pb::Event Tick();

pb::RankRef Ref(const std::string& job, int64_t generation, int rank);
pb::Event Listening(const pb::RankRef& rank);
pb::Event Joined(const pb::RankRef& rank, int64_t first_step = 0);
pb::Event Exited(const pb::RankRef& rank, int code, int64_t step = 0);
pb::Event Killed(const pb::RankRef& rank, int signal, int64_t step = 0);
pb::Event PeerLost(const pb::RankRef& rank, int64_t step = 0);
pb::Event Refused(const pb::RankRef& rank);
pb::Event Checkpoint(const pb::RankRef& rank, int64_t step);
pb::Event Done(const pb::RankRef& rank, int64_t step);
// As the coordinator finds it: code RankHung, or `code`.
pb::Event Hung(const pb::RankRef& rank, int64_t step = 0, const std::string& code = "RankHung");
pb::Event NoticeOf(const pb::RankRef& rank, const std::string& code);
// `event` as it came on the stream of `worker`.
pb::Event By(const std::string& worker, pb::Event event);

}  // namespace rm::scheduler::testing

#endif  // RM_SCHEDULER_CORE_EVENT_TESTING_H_
