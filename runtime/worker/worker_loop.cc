#include "runtime/worker/worker_loop.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "base/check.h"
#include "base/log.h"

namespace rm::worker {
namespace pb = ::ringmaster::v1;
namespace {

// Logs are forwarded this often while something runs.
constexpr absl::Duration kLogInterval = absl::Milliseconds(200);
constexpr size_t kLogChunkBytes = 256U << 10;
constexpr int kLastLogLines = 50;

pb::Reason MakeReason(const std::string& code, const std::string& sentence) {
  pb::Reason reason;
  reason.set_code(code);
  reason.set_sentence(sentence);
  return reason;
}

}  // namespace

WorkerLoop::WorkerLoop(RankProcessOptions options, Outbox& outbox, PreflightFunction preflight)
    : options_(std::move(options)),
      outbox_(outbox),
      preflight_(std::move(preflight)),
      wake_fd_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  RM_CHECK(wake_fd_ >= 0, "eventfd: errno ", errno);
}

WorkerLoop::~WorkerLoop() {
  ranks_.clear();
  for (std::thread& thread : preflights_) thread.join();
  ::close(wake_fd_);
}

void WorkerLoop::Wake() const {
  const uint64_t one = 1;
  // A full counter wakes the loop as well; there is nothing else that can fail.
  if (::write(wake_fd_, &one, sizeof(one)) < 0) return;
}

void WorkerLoop::Post(pb::WorkerCommand command) {
  {
    base::MutexLock lock(mutex_);
    commands_.push_back(std::move(command));
  }
  Wake();
}

void WorkerLoop::Quit() {
  quit_ = true;
  Wake();
}

void WorkerLoop::Run() {
  while (!quit_) {
    for (const pb::WorkerCommand& command : TakeCommands()) Handle(command);
    const absl::Time now = absl::Now();
    KillOverdue(now);
    ForwardLogs();
    CollectEnded();
    WaitForSomething(NextWakeUp(now));
  }
  for (auto& [key, rank] : ranks_) rank->process().Kill();
  for (auto& [key, rank] : ranks_) rank->process().Wait(absl::InfiniteDuration());
  CollectEnded();
}

absl::Time WorkerLoop::NextWakeUp(absl::Time now) const {
  absl::Time next = ranks_.empty() ? absl::InfiniteFuture() : now + kLogInterval;
  for (const auto& [key, rank] : ranks_) next = std::min(next, rank->kill_at());
  return next;
}

void WorkerLoop::WaitForSomething(absl::Time until) const {
  std::vector<pollfd> watched = {{wake_fd_, POLLIN, 0}};
  for (const auto& [key, rank] : ranks_) {
    watched.push_back({rank->process().pidfd(), POLLIN, 0});
  }
  const absl::Duration left =
      std::clamp(until - absl::Now(), absl::ZeroDuration(), absl::Hours(1));
  // Rounded up, so that the loop does not spin until a deadline is reached.
  const auto timeout = static_cast<int>(absl::ToInt64Milliseconds(left + absl::Microseconds(999)));
  ::poll(watched.data(), watched.size(), timeout);
  uint64_t count = 0;
  while (::read(wake_fd_, &count, sizeof(count)) > 0) {
  }
}

std::deque<pb::WorkerCommand> WorkerLoop::TakeCommands() {
  base::MutexLock lock(mutex_);
  return std::exchange(commands_, {});
}

void WorkerLoop::Handle(const pb::WorkerCommand& command) {
  if (command.has_start_rank()) {
    StartRank(command.start_rank());
  } else if (command.has_stop_rank()) {
    StopRank(command.stop_rank());
  } else if (command.has_preflight()) {
    RunPreflight(command.preflight());
  } else if (command.has_start_generation()) {
    const pb::StartGeneration& generation = command.start_generation();
    for (auto& [key, rank] : ranks_) {
      const bool meant = rank->rank().job_id() == generation.job_id() &&
                         rank->rank().generation() == generation.generation();
      if (meant) rank->SendGeneration(generation);
    }
  }
}

void WorkerLoop::StartRank(const pb::StartRank& command) {
  const pb::RankRef ref = command.start().rank();
  const RankKey key = KeyOf(ref);
  if (ranks_.count(key) != 0) return;  // a repeated command
  auto rank = RankProcess::Start(command, options_, [this, ref](const pb::RankMessage& message) {
    NoteRankMessage(ref, message);
  });
  if (!rank.ok()) {
    base::LogError("cannot start rank ", ref.rank(), " of ", ref.job_id(), ": ",
                   rank.status().message());
    pb::WorkerMessage message;
    *message.mutable_refused()->mutable_rank() = ref;
    *message.mutable_refused()->mutable_cause() =
        MakeReason("StartFailed", std::string(rank.status().message()));
    outbox_.Push(std::move(message));
    return;
  }
  base::LogInfo("started rank ", ref.rank(), " of ", ref.job_id(), " generation ",
                ref.generation(), " as process ", (*rank)->process().pid());
  ranks_[key] = *std::move(rank);
}

void WorkerLoop::StopRank(const pb::StopRankCommand& command) {
  const auto found = ranks_.find(KeyOf(command.rank()));
  if (found != ranks_.end()) {
    found->second->Stop(absl::Seconds(command.grace_seconds()), command.checkpoint(), absl::Now());
    return;
  }
  // Not here, or not any more: that is what the coordinator wants to know.
  pb::WorkerMessage message;
  *message.mutable_exited()->mutable_rank() = command.rank();
  *message.mutable_exited()->mutable_cause() =
      MakeReason("NotRunning", "the worker does not run this rank");
  outbox_.Push(std::move(message));
}

void WorkerLoop::RunPreflight(const pb::PreflightRequest& request) {
  preflights_.emplace_back([this, request] {
    pb::WorkerMessage message;
    message.mutable_preflight()->set_job_id(request.job_id());
    for (std::string& error : preflight_(request)) {
      message.mutable_preflight()->add_errors(std::move(error));
    }
    outbox_.Push(std::move(message));
  });
}

void WorkerLoop::NoteRankMessage(const pb::RankRef& rank, const pb::RankMessage& message) {
  {
    base::MutexLock lock(mutex_);
    LastWords& last = last_words_[KeyOf(rank)];
    if (message.has_progress()) last.step = message.progress().step();
    if (message.has_finished()) last.step = message.finished().step();
    if (message.has_failed()) {
      last.step = message.failed().step();
      last.cause = message.failed().reason();
    }
  }
  pb::WorkerMessage report;
  *report.mutable_report()->mutable_rank() = rank;
  *report.mutable_report()->mutable_message() = message;
  outbox_.Push(std::move(report));
}

void WorkerLoop::KillOverdue(absl::Time now) {
  for (auto& [key, rank] : ranks_) {
    if (rank->kill_at() <= now) rank->process().Kill();
  }
}

void WorkerLoop::ForwardLogs() {
  for (auto& [key, rank] : ranks_) ForwardLog(*rank);
}

void WorkerLoop::ForwardLog(RankProcess& rank) {
  for (;;) {
    const int64_t offset = rank.log_offset();
    std::string bytes = rank.ReadNewLog(kLogChunkBytes);
    if (bytes.empty()) return;
    pb::WorkerMessage message;
    *message.mutable_log()->mutable_rank() = rank.rank();
    message.mutable_log()->set_offset(offset);
    message.mutable_log()->set_data(std::move(bytes));
    outbox_.Push(std::move(message));
  }
}

void WorkerLoop::CollectEnded() {
  for (auto it = ranks_.begin(); it != ranks_.end();) {
    const std::optional<Exit> ended = it->second->TakeExit();
    if (!ended.has_value()) {
      ++it;
      continue;
    }
    ForwardLog(*it->second);
    ReportExit(*it->second, *ended);
    it = ranks_.erase(it);
  }
}

void WorkerLoop::ReportExit(RankProcess& rank, const Exit& ended) {
  pb::WorkerMessage message;
  pb::RankExited& exited = *message.mutable_exited();
  *exited.mutable_rank() = rank.rank();
  exited.set_exit_code(ended.code);
  exited.set_signal(ended.signal);
  {
    base::MutexLock lock(mutex_);
    const auto last = last_words_.find(KeyOf(rank.rank()));
    if (last != last_words_.end()) {
      exited.set_step(last->second.step);
      *exited.mutable_cause() = last->second.cause;
      last_words_.erase(last);
    }
  }
  if (!ended.ok()) exited.set_last_log_lines(rank.LastLogLines(kLastLogLines));
  base::LogInfo("rank ", rank.rank().rank(), " of ", rank.rank().job_id(), " ended: ",
                ended.ToString());
  outbox_.Push(std::move(message));
}

}  // namespace rm::worker
