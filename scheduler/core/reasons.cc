#include "scheduler/core/reasons.h"

#include <set>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "base/units.h"
#include "scheduler/state/job_state.h"

namespace rm::scheduler {
namespace {

// More workers than that are counted, not named: a sentence is read at a glance.
constexpr size_t kWorkersNamed = 4;
// A log line may be a whole stack; its start is enough to find it in the log.
constexpr size_t kLogLineBytesMax = 200;

struct SignalName {
  int number;
  absl::string_view name;
};
// Our own table: strsignal depends on the locale of the process, and records must not.
constexpr SignalName kSignals[] = {
    {1, "SIGHUP"},   {2, "SIGINT"},   {3, "SIGQUIT"},  {4, "SIGILL"},   {6, "SIGABRT"},
    {7, "SIGBUS"},   {8, "SIGFPE"},   {9, "SIGKILL"},  {11, "SIGSEGV"}, {13, "SIGPIPE"},
    {15, "SIGTERM"}, {24, "SIGXCPU"}, {25, "SIGXFSZ"}, {31, "SIGSYS"},
};

std::string SignalText(int number) {
  for (const SignalName& signal : kSignals) {
    if (signal.number == number) return absl::StrCat("signal ", number, " (", signal.name, ")");
  }
  return absl::StrCat("signal ", number);
}

std::string Seconds(double seconds) { return base::FormatDuration(absl::Seconds(seconds)); }

// The last line with something in it: the one that a crash most often explains itself by.
std::string LastLogLine(const std::string& lines) {
  absl::string_view last;
  for (const absl::string_view line : absl::StrSplit(lines, '\n')) {
    if (!absl::StripAsciiWhitespace(line).empty()) last = absl::StripAsciiWhitespace(line);
  }
  if (last.empty()) return "";
  return absl::StrCat("; its last line: ", last.substr(0, kLogLineBytesMax));
}

// Workers in the order of their first rank.
template <typename Placements>
std::string GangTextOf(const Placements& gang) {
  std::vector<std::string> names;
  std::set<absl::string_view> seen;
  for (const pb::Placement& placement : gang) {
    if (seen.insert(placement.worker_id()).second) names.push_back(placement.worker_id());
  }
  std::string workers =
      names.size() > kWorkersNamed
          ? CountText(static_cast<int64_t>(names.size()), "worker")
          : absl::StrCat(names.size() == 1 ? "worker " : "workers ", absl::StrJoin(names, ", "));
  return absl::StrCat(CountText(static_cast<int64_t>(gang.size()), "rank"), " on ", workers);
}

}  // namespace

std::string CountText(int64_t count, absl::string_view noun) {
  return absl::StrCat(count, " ", noun, count == 1 ? "" : "s");
}

pb::Reason MakeReason(absl::string_view code, std::string sentence) {
  pb::Reason reason;
  reason.set_code(std::string(code));
  reason.set_sentence(std::move(sentence));
  return reason;
}

std::string RankName(const ClusterState& state, const Job& job, int32_t rank) {
  const std::string& id = job.gang[static_cast<size_t>(rank)].where.worker_id();
  const Worker* worker = state.FindWorker(id);
  return absl::StrCat("rank ", rank, " of job ", job.id(), " on host ",
                      worker == nullptr ? "?" : worker->host, " (worker ", id, ")");
}

std::string GangText(const std::vector<pb::Placement>& gang) { return GangTextOf(gang); }

std::string GangText(const Job& job) {
  std::vector<pb::Placement> gang;
  gang.reserve(job.gang.size());
  for (const GangRank& rank : job.gang) gang.push_back(rank.where);
  return GangTextOf(gang);
}

std::string CheckpointText(const Job& job) {
  if (job.last_checkpoint_step < 0) return "it has no checkpoint";
  return absl::StrCat("its last checkpoint is of step ", job.last_checkpoint_step);
}

pb::Reason WithCheckpoint(const Job& job, const pb::Reason& reason) {
  return MakeReason(reason.code(), absl::StrCat(reason.sentence(), "; ", CheckpointText(job)));
}

// ---- losses ---------------------------------------------------------------------------------

// What the rank said itself goes before its log: it knows why, the log only what came last.
pb::Reason RankLostReason(const ClusterState& state, const Job& job, const pb::RankExited& event) {
  const std::string code = event.cause().code().empty() ? "RankLost" : event.cause().code();
  std::string how = event.signal() != 0 ? absl::StrCat("was killed by ", SignalText(event.signal()))
                                        : absl::StrCat("exited with code ", event.exit_code());
  std::string why = LastLogLine(event.last_log_lines());
  if (!event.cause().sentence().empty()) why = absl::StrCat(": ", event.cause().sentence());
  return MakeReason(code, absl::StrCat(RankName(state, job, event.rank().rank()), " ", how,
                                       " after step ", event.step(), why));
}

pb::Reason PeerLostReason(const ClusterState& state, const Job& job, const pb::RankExited& event) {
  return MakeReason("PeerLost",
                    absl::StrCat(RankName(state, job, event.rank().rank()), " left after step ",
                                 event.step(), " because a peer was gone"));
}

pb::Reason LeftEarlyReason(const ClusterState& state, const Job& job, int32_t rank) {
  return MakeReason("RankLeftEarly",
                    absl::StrCat(RankName(state, job, rank), " left with exit code 0 after step ",
                                 job.gang[static_cast<size_t>(rank)].last_step,
                                 ", but the training is not done"));
}

pb::Reason GoneOnWorkerReason(absl::string_view code, const Worker& worker, const Job& job,
                              const std::vector<int32_t>& ranks, absl::string_view how) {
  return MakeReason(code, absl::StrCat("worker ", worker.id, " on host ", worker.host, " ", how,
                                       ranks.size() == 1 ? " rank " : " ranks ",
                                       absl::StrJoin(ranks, ", "), " of job ", job.id()));
}

pb::Reason StartRefusedReason(const ClusterState& state, const Job& job,
                              const pb::StartRefused& event) {
  return MakeReason("StartRefused", absl::StrCat(RankName(state, job, event.rank().rank()),
                                                 " was not started: ", event.cause().sentence()));
}

// Who found it wrote the sentence, with what only he knew; without one the rank is named at least.
pb::Reason HungReason(const ClusterState& state, const Job& job, const pb::RankHung& event) {
  const pb::Reason& cause = event.cause();
  std::string sentence = cause.sentence();
  if (sentence.empty()) {
    sentence = absl::StrCat(RankName(state, job, event.rank().rank()),
                            " makes no progress after step ", event.step());
  }
  return MakeReason(cause.code().empty() ? "RankHung" : cause.code(), std::move(sentence));
}

pb::Reason NoticeReason(const ClusterState& state, const Job& job, const pb::RankNotice& event) {
  const pb::Reason& notice = event.notice();
  return MakeReason(notice.code().empty() ? "Notice" : notice.code(),
                    absl::StrCat(RankName(state, job, event.rank().rank()), ", after step ",
                                 event.step(), ": ", notice.sentence()));
}

// The code stays that of the cause: "no restart left" is why the job ends now, not why it failed.
pb::Reason RestartsUsedUpReason(const Job& job, const pb::Reason& cause) {
  return MakeReason(cause.code(), absl::StrCat(cause.sentence(), "; max_restarts (",
                                               job.scheduling().max_restarts(), ") is used up"));
}

pb::Reason FailedAgainReason(const Job& job, const pb::Reason& cause) {
  return MakeReason(cause.code(),
                    absl::StrCat(cause.sentence(), "; it failed at step ", job.failed_step,
                                 " before, so another restart would not help"));
}

// ---- what people asked for ------------------------------------------------------------------

pb::Reason SubmittedReason(const pb::SubmitJob& submission) {
  if (submission.preflight_pending()) {
    return MakeReason("Preflight", absl::StrCat("job ", submission.job_id(),
                                                " waits until a worker has checked it"));
  }
  return MakeReason("Submitted", absl::StrCat("job ", submission.job_id(), " waits for slots"));
}

pb::Reason PreflightPassedReason(const Job& job) {
  return MakeReason("PreflightPassed",
                    absl::StrCat("job ", job.id(), " was checked and waits for slots"));
}

pb::Reason PreflightFailedReason(const Job& job) {
  return MakeReason(
      "PreflightFailed",
      absl::StrCat("job ", job.id(), " cannot run: ", absl::StrJoin(job.preflight_errors, "; ")));
}

pb::Reason CancelledReason(const Job& job, bool kill) {
  return MakeReason(
      kill ? "Killed" : "Cancelled",
      absl::StrCat("job ", job.id(), " was ", kill ? "killed" : "cancelled", " by its user"));
}

pb::Reason PausedReason(const Job& job) {
  return MakeReason("Paused", absl::StrCat("job ", job.id(), " was paused by its user"));
}

pb::Reason ResumedReason(const Job& job) {
  return MakeReason("Resumed", absl::StrCat("job ", job.id(), " was resumed by its user"));
}

pb::Reason PreemptedReason(const Job& job, const Job* winner, absl::string_view policy,
                           bool moves) {
  const std::string whom =
      winner == nullptr
          ? std::string("jobs")
          : absl::StrCat("job ", winner->id(), " of ",
                         CountText(SlotsOf(*winner), "slot"), ", submitted by ",
                         winner->submission.user().empty() ? "nobody named"
                                                           : winner->submission.user(),
                         ",");
  return MakeReason(
      "Preempted",
      absl::StrCat("job ", job.id(), " leaves ", GangText(job), " to ", whom,
                   " that policy ", policy, " puts first; ",
                   moves ? "it starts again on other workers" : "it keeps its place in the queue",
                   " and goes on from the checkpoint that it writes now"));
}

// ---- the way of a gang ----------------------------------------------------------------------

pb::Reason PlacedReason(const Job& job, const std::vector<pb::Placement>& gang) {
  return MakeReason("Placed", absl::StrCat("job ", job.id(), " starts as generation ",
                                           job.generation + 1, " with ", GangText(gang)));
}

pb::Reason ReplacedReason(const Job& job, const std::vector<pb::Placement>& gang) {
  return MakeReason("NextGeneration",
                    absl::StrCat("job ", job.id(), " goes on as generation ", job.generation + 1,
                                 " with ", GangText(gang), "; ", CheckpointText(job)));
}

pb::Reason JoinedReason(const Job& job) {
  return MakeReason("AllRanksJoined", absl::StrCat("job ", job.id(), " runs as generation ",
                                                   job.generation, " with ", GangText(job)));
}

pb::Reason DoneReason(const Job& job) {
  return MakeReason("TrainingDone",
                    absl::StrCat("job ", job.id(), " is trained to its end, ",
                                 CountText(job.final_step, "step"), "; ", CheckpointText(job)));
}

pb::Reason WaitingForSlotsReason(const ClusterState& state, const Job& job) {
  const std::string limit = base::FormatDuration(absl::Seconds(job.scheduling().recovery_grace()));
  return MakeReason(
      "WaitingForSlots",
      absl::StrCat("job ", job.id(), " waits up to ", limit, " for slots in place of the lost; ",
                   "free slots of the cluster: ", state.free_slots().total()));
}

pb::Reason NoPlaceReason(const Job& job) {
  return MakeReason("NoPlace", absl::StrCat("job ", job.id(), " waits for slots again: ",
                                            "there are none in place of the lost"));
}

// ---- timers ---------------------------------------------------------------------------------

pb::Reason QueueTimeoutReason(const Job& job) {
  return MakeReason("QueueTimeout",
                    absl::StrCat("job ", job.id(), " was in the queue for ",
                                 Seconds(job.scheduling().queue_timeout()), ", its queue_timeout"));
}

pb::Reason TimeLimitReason(const Job& job) {
  return MakeReason("TimeLimit",
                    absl::StrCat("job ", job.id(), " ran for ",
                                 Seconds(job.scheduling().time_limit()), ", its time_limit"));
}

pb::Reason RecoveryGraceReason(const Job& job) {
  return MakeReason(
      "RecoveryGraceOver",
      absl::StrCat("job ", job.id(), " found no slots in place of the lost within ",
                   Seconds(job.scheduling().recovery_grace()), "; ", CheckpointText(job)));
}

pb::Reason GraceOverReason(const Job& job) {
  return MakeReason("GraceOver", absl::StrCat("the grace of job ", job.id(), " is over; killed: ",
                                              CountText(job.living_ranks, "rank")));
}

pb::Reason LeaveOverReason(const Job& job, absl::Duration window) {
  return MakeReason("TrainingDone",
                    absl::StrCat("job ", job.id(), " is trained to its end, but ",
                                 CountText(job.living_ranks, "rank"), " did not leave within ",
                                 base::FormatDuration(window)));
}

}  // namespace rm::scheduler
