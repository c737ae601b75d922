// Following a job to its end.
#ifndef RM_TOOLS_TRAINCTL_FOLLOW_H_
#define RM_TOOLS_TRAINCTL_FOLLOW_H_

#include <string>

#include "absl/time/time.h"
#include "proto/api.pb.h"
#include "tools/trainctl/session.h"

namespace rm::trainctl {

struct FollowOptions {
  bool progress = true;                               // show it on standard error
  absl::Duration timeout = absl::InfiniteDuration();  // kWaitTimedOut after that
  absl::Duration patience = absl::Minutes(10);        // with a coordinator that goes away
  bool has_answered = false;                          // it has been there: patience from the start
  std::string format = "table";                       // of the result on standard output: -o
};

// Watches the job until its final state, prints its result and returns the exit code that belongs to
// it. Ctrl-C detaches: the job goes on, and that is said. A coordinator that goes away is waited for
// (outage.h): the job goes on without it. One that never answered is not, unless `has_answered` says
// that it did before. `job_id` may be a prefix.
int FollowJob(Session& session, client::Client& client, const std::string& job_id,
              const FollowOptions& options);

// What is printed on standard output when a job has ended: its accuracy, checkpoint and logs, one
// line each; the whole job as json or yaml; with "name" nothing. Pure.
[[nodiscard]] std::string ResultText(const ringmaster::v1::Job& job, const std::string& format);

}  // namespace rm::trainctl

#endif  // RM_TOOLS_TRAINCTL_FOLLOW_H_
