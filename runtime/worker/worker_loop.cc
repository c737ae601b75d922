#include "runtime/worker/worker_loop.h"

#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "base/check.h"
#include "base/clock.h"
#include "base/file_system.h"
#include "base/log.h"
#include "base/units.h"

namespace rm::worker {
namespace pb = ::ringmaster::v1;
namespace {

// Logs are forwarded this often while something runs.
constexpr absl::Duration kLogInterval = absl::Milliseconds(200);
constexpr size_t kLogChunkBytes = 256U << 10;
// Chunks taken of a rank's log before the others' turn: one that writes without end must not keep
// the loop from stopping it.
constexpr int kLogChunksARound = 4;
constexpr int kLastLogLines = 50;

// A code for scripts and a sentence for people.
pb::Reason MakeReason(const std::string& code, const std::string& sentence) {
  pb::Reason reason;
  reason.set_code(code);
  reason.set_sentence(sentence);
  return reason;
}

}  // namespace

WorkerLoop::WorkerLoop(WorkerLoopOptions options, Outbox& outbox, PreflightFunction preflight)
    : options_(std::move(options)),
      outbox_(outbox),
      oom_watch_(options_.oom_counter ? options_.oom_counter : [] { return std::nullopt; }),
      preflights_(std::move(preflight), outbox),
      wake_fd_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  RM_CHECK(wake_fd_ >= 0, "eventfd: errno ", errno);
  if (options_.life_file.empty()) return;
  life_file_ = std::make_unique<LifeFile>(base::PosixFileSystem(), options_.life_file);
  for (const pb::WorkerMessage& end : life_file_->inherited()) outbox_.Push(end);
}

// Ranks first: nothing of them may be left when the daemon is gone.
WorkerLoop::~WorkerLoop() {
  ranks_.clear();
  ::close(wake_fd_);
}

// Any number of wakes before the next wait are one.
void WorkerLoop::Wake() const {
  const uint64_t one = 1;
  // A full counter wakes the loop as well; there is nothing else that can fail.
  if (::write(wake_fd_, &one, sizeof(one)) < 0) return;
}

// From any thread; acted on in order.
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

// One pass: what was asked, what is overdue, what was logged, who has ended; then sleep until something happens.
void WorkerLoop::Run() {
  while (!quit_) {
    for (const pb::WorkerCommand& command : TakeCommands()) Handle(command);
    const absl::Duration now = base::RealClock().Monotonic();
    if (!ranks_.empty()) oom_watch_.Look(now);
    for (auto& [key, rank] : ranks_) {
      rank->KillIfOverdue(now);
      ForwardLog(*rank, kLogChunksARound);
    }
    CollectEnded();
    WaitForSomething(NextWakeUp(now) - base::RealClock().Monotonic());
  }
  outbox_.Close();
  for (auto& [key, rank] : ranks_) rank->Kill();
  for (auto& [key, rank] : ranks_) rank->TakeExit(absl::InfiniteDuration());
  ranks_.clear();
}

absl::Duration WorkerLoop::NextWakeUp(absl::Duration now) const {
  absl::Duration next = ranks_.empty() ? absl::InfiniteDuration() : now + kLogInterval;
  for (const auto& [key, rank] : ranks_) next = std::min(next, rank->kill_at());
  return next;
}

// Commands through the eventfd, ends through the pidfds, deadlines through the timeout.
void WorkerLoop::WaitForSomething(absl::Duration timeout) const {
  std::vector<pollfd> watched = {{wake_fd_, POLLIN, 0}};
  for (const auto& [key, rank] : ranks_) watched.push_back({rank->pidfd(), POLLIN, 0});
  // Rounded up, so that the loop does not spin until a deadline is reached.
  const absl::Duration left =
      std::clamp(timeout + absl::Microseconds(999), absl::ZeroDuration(), absl::Hours(1));
  ::poll(watched.data(), watched.size(), static_cast<int>(absl::ToInt64Milliseconds(left)));
  uint64_t count = 0;
  while (::read(wake_fd_, &count, sizeof(count)) > 0) {
  }
}

// All at once, so that the lock is held for a moment only.
std::deque<pb::WorkerCommand> WorkerLoop::TakeCommands() {
  base::MutexLock lock(mutex_);
  return std::exchange(commands_, {});
}

// By kind; a kind that this version does not know is left alone.
void WorkerLoop::Handle(const pb::WorkerCommand& command) {
  switch (command.command_case()) {
    case pb::WorkerCommand::kStartRank: return StartRank(command.start_rank());
    case pb::WorkerCommand::kStopRank: return StopRank(command.stop_rank());
    case pb::WorkerCommand::kStartGeneration: return ForwardGeneration(command.start_generation());
    case pb::WorkerCommand::kPreflight: return preflights_.Ask(command.preflight());
    case pb::WorkerCommand::kWelcome:
    case pb::WorkerCommand::COMMAND_NOT_SET: return;
  }
}

// A rank that cannot be started is refused with the reason, which the coordinator takes as its end.
void WorkerLoop::StartRank(const pb::StartRank& command) {
  const pb::RankRef ref = command.start().rank();
  if (ranks_.count(KeyOf(ref)) != 0 || outbox_.RepeatEnd(ref)) return;  // a repeated command
  outbox_.NoteStarted(ref);
  if (life_file_ != nullptr) life_file_->NoteStarted(ref);
  auto rank = RankProcess::Start(command, options_.ranks, [this, ref](const pb::RankMessage& message) {
    NoteRankMessage(ref, message);
  });
  if (!rank.ok()) return Refuse(ref, rank.status());
  base::LogInfo("started rank ", ref.rank(), " of ", ref.job_id(), " generation ",
                ref.generation(), " as process ", (*rank)->pid());
  ranks_[KeyOf(ref)] = *std::move(rank);
}

void WorkerLoop::Refuse(const pb::RankRef& rank, const absl::Status& status) {
  base::LogError("cannot start rank ", rank.rank(), " of ", rank.job_id(), ": ", status.message());
  pb::WorkerMessage message;
  *message.mutable_refused()->mutable_rank() = rank;
  *message.mutable_refused()->mutable_cause() =
      MakeReason("StartFailed", std::string(status.message()));
  PushEnd(std::move(message));
}

// The file first: what the coordinator may have seen must not be unknown to the next worker here.
void WorkerLoop::PushEnd(pb::WorkerMessage end) {
  if (life_file_ != nullptr) life_file_->NoteEnded(end);
  outbox_.Push(std::move(end));
}

// A rank that is not here has ended, and that is the answer.
void WorkerLoop::StopRank(const pb::StopRankCommand& command) {
  const auto found = ranks_.find(KeyOf(command.rank()));
  if (found != ranks_.end() && command.dump_stack()) {
    found->second->StopHung(command.reason(), base::RealClock().Monotonic());
    return;
  }
  if (found != ranks_.end()) {
    found->second->Stop(absl::Seconds(command.grace_seconds()), command.checkpoint(),
                        base::RealClock().Monotonic());
    return;
  }
  if (outbox_.RepeatEnd(command.rank())) return;
  // Never here, or long ago: that is what the coordinator wants to know.
  pb::WorkerMessage message;
  *message.mutable_exited()->mutable_rank() = command.rank();
  *message.mutable_exited()->mutable_cause() =
      MakeReason("NotRunning", "the worker does not run this rank");
  outbox_.Push(std::move(message));
}

void WorkerLoop::ForwardGeneration(const pb::StartGeneration& generation) {
  for (auto& [key, rank] : ranks_) {
    const bool meant = rank->rank().job_id() == generation.job_id() &&
                       rank->rank().generation() == generation.generation();
    if (meant) rank->SendGeneration(generation);
  }
}

// On the rank's reader thread: its last words are kept for the day it ends.
void WorkerLoop::NoteRankMessage(const pb::RankRef& rank, const pb::RankMessage& message) {
  {
    base::MutexLock lock(mutex_);
    LastWords& last = last_words_[KeyOf(rank)];
    if (message.has_progress()) last.step = message.progress().step();
    if (message.has_activity()) last.step = std::max(last.step, message.activity().step());
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

void WorkerLoop::ForwardLog(RankProcess& rank, int chunks_max) {
  for (int chunk = 0; chunk < chunks_max; ++chunk) {
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

// The log is forwarded to its last byte before the end is reported, so that the reason is there when someone looks.
void WorkerLoop::CollectEnded() {
  for (auto it = ranks_.begin(); it != ranks_.end();) {
    const std::optional<Exit> ended = it->second->TakeExit(absl::ZeroDuration());
    if (!ended.has_value()) {
      ++it;
      continue;
    }
    ForwardLog(*it->second, std::numeric_limits<int>::max());  // it grows no more
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
  ExplainExit(rank, ended, exited);
  if (!ended.ok()) exited.set_last_log_lines(rank.LastLogLines(kLastLogLines));
  base::LogInfo("rank ", rank.rank().rank(), " of ", rank.rank().job_id(), " ended: ",
                ended.ToString(), exited.cause().code().empty() ? "" : ", ",
                exited.cause().code());
  PushEnd(std::move(message));
}

// What the rank itself has said comes first, unless it was stopped as hung: what it said before that
// is not why it was stopped.
void WorkerLoop::ExplainExit(const RankProcess& rank, const Exit& ended, pb::RankExited& exited) {
  if (!rank.hung().code().empty()) {
    *exited.mutable_cause() = rank.hung();
    return;
  }
  if (ended.signal != SIGKILL || rank.kill_asked() || !exited.cause().code().empty()) return;
  if (!oom_watch_.Claim(base::RealClock().Monotonic())) return;
  *exited.mutable_cause() = MakeReason(
      "OutOfMemory",
      absl::StrCat("most probably by the kernel, which counted a kill for want of memory then; it "
                   "used up to ",
                   base::FormatBytes(ended.peak_memory),
                   ": lower train.global_batch_size, run fewer ranks on this machine, or give it "
                   "more memory"));
}

}  // namespace rm::worker
