#include "tools/trainctl/follow.h"

#include <unistd.h>

#include <iostream>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/clock.h"
#include "tools/trainctl/exit_code.h"
#include "tools/trainctl/print.h"
#include "tools/trainctl/progress.h"

namespace rm::trainctl {
namespace pb = ::ringmaster::v1;
namespace {

constexpr absl::Duration kRetryInterval = absl::Milliseconds(500);

// The state of one FollowJob.
class Follower {
 public:
  Follower(const FollowOptions& options)
      : options_(options), display_(STDERR_FILENO), deadline_(absl::Now() + options.timeout) {}

  // Watches until the job ends (OK) or the stream does.
  absl::Status WatchOnce(client::Client& client, const std::string& job_id) {
    return client.Watch(
        job_id,
        [this](const pb::Job& job) {
          Note(job);
          return !IsFinal(job.state());
        },
        deadline_ - absl::Now());
  }

  void Note(const pb::Job& job) {
    if (away_) display_.Note("the coordinator is back");
    away_ = false;
    const bool news = job.state() != job_.state() || job.reason().code() != job_.reason().code();
    if (options_.progress && news && seen_) {
      display_.Note(absl::StrCat(StateName(job.state()), ": ", job.reason().sentence()));
    }
    seen_ = true;
    job_ = job;
    if (options_.progress && !IsFinal(job.state())) display_.Show(job);
  }

  void NoteAway(const absl::Status& status) {
    if (!away_) {
      display_.Note(absl::StrCat("the coordinator is away, the job goes on; waiting for it (",
                                 status.message(), ")"));
    }
    away_ = true;
  }

  [[nodiscard]] bool seen() const { return seen_; }
  [[nodiscard]] const pb::Job& job() const { return job_; }
  [[nodiscard]] bool timed_out() const { return absl::Now() >= deadline_; }
  void Finish() { display_.Finish(); }

 private:
  const FollowOptions options_;
  ProgressDisplay display_;
  const absl::Time deadline_;
  pb::Job job_;
  bool seen_ = false;
  bool away_ = false;
};

int End(const pb::Job& job) {
  std::cout << ResultText(job) << std::flush;
  if (job.state() != pb::SUCCEEDED) {
    std::cerr << job.job_id() << " " << StateName(job.state()) << " – " << job.reason().code() << ": "
              << job.reason().sentence() << "\n";
  }
  return ExitCodeOf(job.state());
}

}  // namespace

std::string ResultText(const pb::Job& job) {
  std::string text;
  const auto accuracy = job.metrics().find("validation/accuracy");
  if (accuracy != job.metrics().end()) {
    absl::StrAppendFormat(&text, "validation accuracy %.2f %%\n", 100 * accuracy->second);
  }
  if (!job.last_checkpoint().empty()) {
    absl::StrAppend(&text, "checkpoint ", job.last_checkpoint(), "\n");
  }
  if (!job.log_folder().empty()) absl::StrAppend(&text, "logs ", job.log_folder(), "\n");
  return text;
}

int FollowJob(Session& session, client::Client& client, const std::string& job_id,
              const FollowOptions& options) {
  Follower follower(options);
  for (;;) {
    const absl::Status status = follower.WatchOnce(client, job_id);
    if (IsFinal(follower.job().state())) {
      follower.Finish();
      return End(follower.job());
    }
    if (session.interrupted()) {
      follower.Finish();
      std::cerr << "detached: " << job_id << " goes on (trainctl logs -f " << job_id
                << " follows it, trainctl cancel " << job_id << " ends it)\n";
      return kInterrupted;
    }
    if (follower.timed_out()) {
      follower.Finish();
      std::cerr << job_id << " has not ended: " << StateName(follower.job().state()) << "\n";
      return kWaitTimedOut;
    }
    const bool away = absl::IsUnavailable(status) || status.ok();
    if (!away || !follower.seen()) {
      follower.Finish();
      return Complain(status);
    }
    follower.NoteAway(status);
    absl::SleepFor(kRetryInterval);
  }
}

}  // namespace rm::trainctl
