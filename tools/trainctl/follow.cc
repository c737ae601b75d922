#include "tools/trainctl/follow.h"

#include <unistd.h>

#include <iostream>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/clock.h"
#include "base/status.h"
#include "tools/trainctl/exit_code.h"
#include "tools/trainctl/outage.h"
#include "tools/trainctl/print.h"
#include "tools/trainctl/progress.h"

namespace rm::trainctl {
namespace pb = ::ringmaster::v1;
namespace {

// What has been seen of the job so far, over any number of streams.
class Follower {
 public:
  explicit Follower(const FollowOptions& options)
      : options_(options),
        display_(STDERR_FILENO),
        deadline_(absl::Now() + options.timeout),
        outage_(options.patience, [this](const std::string& line) { display_.Note(line); }) {}

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
    outage_.NoteBack();
    const bool news = job.state() != job_.state() || job.reason().code() != job_.reason().code();
    if (options_.progress && news && seen_) {
      display_.Note(absl::StrCat(StateName(job.state()), ": ", job.reason().sentence()));
    }
    seen_ = true;
    job_ = job;
    if (options_.progress && !IsFinal(job.state())) display_.Show(job);
  }

  [[nodiscard]] const pb::Job& job() const { return job_; }
  [[nodiscard]] bool timed_out() const { return absl::Now() >= deadline_; }
  [[nodiscard]] Outage& outage() { return outage_; }
  void Finish() { display_.Finish(); }

 private:
  const FollowOptions options_;
  ProgressDisplay display_;
  const absl::Time deadline_;
  Outage outage_;
  pb::Job job_;
  bool seen_ = false;
};

// Results on standard output; why it did not succeed on standard error.
int End(const pb::Job& job, const std::string& format) {
  std::cout << ResultText(job, format) << std::flush;
  if (job.state() != pb::SUCCEEDED) {
    std::cerr << job.job_id() << " " << StateName(job.state()) << " – " << job.reason().code()
              << ": " << job.reason().sentence() << "\n";
  }
  return ExitCodeOf(job.state());
}

int Detach(const std::string& job_id) {
  std::cerr << "detached: " << job_id << " goes on (trainctl wait " << job_id
            << " waits for it, trainctl cancel " << job_id << " ends it)\n";
  return kInterrupted;
}

// The first look at the job.
absl::StatusOr<pb::Job> FirstLook(Session& session, client::Client& client,
                                  const std::string& job_id, Follower& follower,
                                  bool has_answered) {
  for (;;) {
    auto job = client.Get(job_id);
    if (job.ok() || session.interrupted() || !has_answered) return job;
    RM_RETURN_IF_ERROR(follower.outage().Wait(job.status()));
  }
}

}  // namespace

// The lines that scripts look for.
std::string ResultText(const pb::Job& job, const std::string& format) {
  if (IsStructured(format)) return FormatMessage(job, format);
  if (format == "name") return "";
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

// A stream that ends before the job does is dialled again: the job goes on without a coordinator, and so do we.
int FollowJob(Session& session, client::Client& client, const std::string& job_id,
              const FollowOptions& options) {
  Follower follower(options);
  const auto job = FirstLook(session, client, job_id, follower, options.has_answered);
  if (session.interrupted()) return Detach(job_id);
  if (!job.ok()) return ComplainOfJob(job.status());
  follower.Note(*job);
  while (!IsFinal(follower.job().state())) {
    const absl::Status status = follower.WatchOnce(client, job->job_id());
    if (IsFinal(follower.job().state())) break;
    if (session.interrupted()) {
      follower.Finish();
      return Detach(job->job_id());
    }
    if (absl::IsDeadlineExceeded(status) || follower.timed_out()) {
      follower.Finish();
      std::cerr << job->job_id() << " has not ended: " << StateName(follower.job().state()) << "\n";
      return kWaitTimedOut;
    }
    const absl::Status hopeless = follower.outage().Wait(status);
    if (!hopeless.ok()) {
      follower.Finish();
      return Complain(hopeless);
    }
  }
  follower.Finish();
  return End(follower.job(), options.format);
}

}  // namespace rm::trainctl
