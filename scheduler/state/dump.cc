#include "scheduler/state/dump.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include "scheduler/state/job_state.h"

namespace rm::scheduler {
namespace {

// Nanoseconds, so that times that differ never look the same.
std::string At(absl::Time time) {
  if (time == absl::InfiniteFuture()) return "never";
  if (time == absl::InfinitePast()) return "none";
  return absl::StrCat(absl::ToUnixNanos(time));
}

std::string Text(const pb::Reason& reason) {
  return absl::StrCat("[", reason.code(), "] ", reason.sentence());
}

void DumpRank(const GangRank& rank, std::string& out) {
  static constexpr absl::string_view kPhases[] = {"assigned", "listening", "joined", "gone"};
  absl::StrAppend(&out, "  rank ", rank.where.rank(), " on ", rank.where.worker_id(), " slots ",
                  absl::StrJoin(rank.where.slots(), ","), " local ", rank.where.local_rank(), " ",
                  kPhases[static_cast<size_t>(rank.phase)], rank.joined ? " was-joined" : "",
                  " address ", rank.address, " exit ", rank.exit_code, " signal ", rank.signal,
                  " step ", rank.last_step, rank.exited ? " exited" : "", "\n");
}

void DumpLife(const Job& job, std::string& out) {
  absl::StrAppend(&out, "job ", job.id(), " #", job.sequence, " ", StateName(job.state), " ",
                  pb::GangPhase_Name(job.gang_phase), " ", Text(job.reason), "\n");
  absl::StrAppend(&out, "  submission ", job.submission.ShortDebugString(), " submitted ",
                  At(job.submitted), " since ", At(job.since), " first running ",
                  At(job.first_running), " ended ", At(job.ended), "\n");
  absl::StrAppend(&out, "  preflight ", job.preflight_pending ? "pending" : "settled", " ",
                  absl::StrJoin(job.preflight_errors, "; "), "\n");
  absl::StrAppend(&out, "  stop target ", StateName(job.stop_target), " ", Text(job.stop_cause),
                  " deadline ", At(job.stop_deadline), "\n");
  absl::StrAppend(&out, "  counted ", absl::ToInt64Nanoseconds(job.counted_before), " since ",
                  At(job.counting_since), " served ",
                  absl::ToInt64Nanoseconds(job.served_before), " since ", At(job.serving_since),
                  "\n");
}

void DumpWork(const Job& job, std::string& out) {
  absl::StrAppend(&out, "  generation ", job.generation, " restarts ", job.restarts, " heard ",
                  job.heard_ranks, " joined ", job.joined_ranks, " living ", job.living_ranks,
                  " lost at ", At(job.lost_at), " left early at ", At(job.left_early_at), "\n");
  for (const LineageEntry& entry : job.lineage) {
    absl::StrAppend(&out, "  lineage g", entry.generation, " from ", entry.first_step, "\n");
  }
  if (job.plan.ByteSizeLong() > 0) {
    absl::StrAppend(&out, "  plan ", job.plan.ShortDebugString(), "\n");
  }
  absl::StrAppend(&out, "  checkpoint ", job.last_checkpoint_step, " ", job.last_checkpoint_path,
                  " done ", job.training_done ? "yes" : "no", " at ", At(job.training_done_at),
                  " step ", job.final_step, " sha256 ", job.weights_sha256, "\n");
  for (const auto& [name, value] : job.metrics) {
    absl::StrAppend(&out, "  metric ", name, " ", value, "\n");
  }
  absl::StrAppend(&out, "  failed g", job.failed_generation, " step ", job.failed_step,
                  job.failed_again ? " again" : "", "\n");
  for (const GangRank& rank : job.gang) DumpRank(rank, out);
}

void DumpWorker(const Worker& worker, std::string& out) {
  absl::StrAppend(&out, "worker ", worker.id, " #", worker.ordinal, " ",
                  WorkerStateName(worker.state), " ", Text(worker.reason), " since ",
                  At(worker.since), " host ", worker.host, " version ", worker.version, " free ",
                  worker.free_slots, " loss ", worker.loss, " storage ", worker.storage_problem,
                  " labels ", absl::StrJoin(worker.labels, ",", absl::PairFormatter("=")),
                  " slots");
  for (const Slot& slot : worker.slots) {
    absl::StrAppend(&out, " ", slot.free() ? "-" : absl::StrCat(slot.holder->id(), "/", slot.rank));
  }
  absl::StrAppend(&out, "\n");
}

// The indices are dumped too, though they follow from the rest: a test that compares dumps sees one
// that was not kept up to date.
void DumpIndices(const ClusterState& state, std::string& out) {
  absl::StrAppend(&out, "queue");
  for (const Job* job = state.queue().First(); job != nullptr; job = state.queue().After(*job)) {
    absl::StrAppend(&out, " ", job->id());
  }
  absl::StrAppend(&out, "\nreplacing");
  const Queue& replacing = state.replacing();
  for (const Job* job = replacing.First(); job != nullptr; job = replacing.After(*job)) {
    absl::StrAppend(&out, " ", job->id());
  }
  absl::StrAppend(&out, "\nfree ", state.free_slots().total());
  for (const auto& [count, workers] : state.free_slots().by_count()) {
    absl::StrAppend(&out, " ", count, ":");
    for (const Worker* worker : workers) absl::StrAppend(&out, worker->id, ",");
  }
  absl::StrAppend(&out, "\n");
  absl::StrAppend(&out, "capacity ",
                  absl::StrJoin(state.capacity(), ", ", absl::PairFormatter(" slots x ")), "\n");
  absl::StrAppend(&out, "holding");
  for (const Job* job : state.holding()) absl::StrAppend(&out, " ", job->id());
  const History& history = state.history();
  absl::StrAppend(&out, "\nhistory ", history.ended(), " ended ", history.ended_slot_ms(), "\n");
  for (const auto& [slots, jobs] : history.by_slots()) {
    absl::StrAppend(&out, "of ", slots, " slots ", jobs.size(), "\n");
  }
  for (const auto& [at, id] : state.job_deadlines()) {
    absl::StrAppend(&out, "deadline ", At(at), " job ", id, "\n");
  }
  for (const auto& [at, id] : state.worker_deadlines()) {
    absl::StrAppend(&out, "deadline ", At(at), " worker ", id, "\n");
  }
}

}  // namespace

std::string Dump(const ClusterState& state) {
  std::string out =
      absl::StrCat("now ", At(state.now()), " capacity version ", state.capacity_version(), "\n");
  for (const auto& [id, job] : state.jobs()) {
    DumpLife(job, out);
    DumpWork(job, out);
  }
  for (const auto& [id, worker] : state.workers()) DumpWorker(worker, out);
  DumpIndices(state, out);
  for (const auto& [code, count] : state.refusals()) {
    absl::StrAppend(&out, "refused ", code, " ", count, "\n");
  }
  return out;
}

}  // namespace rm::scheduler
