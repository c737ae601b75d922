// One function a group of families, in the order in which the page shows them. Values that exist
// from the start are always there, with 0: a family that appears later looks like a gap to
// Prometheus.
#include "runtime/coordinator/metrics_page.h"

#include <cstdint>
#include <map>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "runtime/telemetry/prometheus.h"
#include "scheduler/state/job_state.h"

namespace rm::coordinator {
namespace {

namespace pb = ::ringmaster::v1;
using telemetry::Labels;
using telemetry::PrometheusText;

std::string Lower(absl::string_view name) { return absl::AsciiStrToLower(name); }

void WriteJobs(const scheduler::ClusterState& state, PrometheusText& text) {
  std::map<std::string, int64_t> by_state;
  for (int value = pb::QUEUED; value <= pb::JobState_MAX; ++value) {
    by_state[Lower(scheduler::StateName(static_cast<pb::JobState>(value)))] = 0;
  }
  // By the reason code of the last transition: explaining each job anew would cost a placement.
  std::map<std::pair<std::string, std::string>, int64_t> pending;
  for (const auto& [id, job] : state.jobs()) {
    ++by_state[Lower(scheduler::StateName(job.state))];
    if (job.state != pb::QUEUED) continue;
    const std::string& pool = job.scheduling().pool();
    ++pending[{pool.empty() ? "default" : pool, job.reason.code()}];
  }
  text.Family("ringmaster_jobs", "gauge", "Jobs by state.");
  for (const auto& [name, count] : by_state) {
    text.Sample({{"state", name}}, static_cast<double>(count));
  }
  text.Family("ringmaster_pending_jobs", "gauge", "Jobs in the queue by pool and reason.");
  for (const auto& [key, count] : pending) {
    text.Sample({{"pool", key.first}, {"reason", key.second}}, static_cast<double>(count));
  }
}

void WriteSlots(const scheduler::ClusterState& state, PrometheusText& text) {
  int64_t free = 0;
  int64_t used = 0;
  int64_t suspect = 0;
  int64_t absent = 0;
  std::map<std::string, int64_t> workers = {
      {"ready", 0}, {"suspect", 0}, {"absent", 0}, {"lost", 0}};
  for (const auto& [id, worker] : state.workers()) {
    ++workers[Lower(scheduler::WorkerStateName(worker.state))];
    if (worker.state == pb::READY) {
      free += worker.free_slots;
      used += worker.used_slots();
    } else if (worker.state == pb::SUSPECT) {  // its ranks go on, and it gets no new ones
      suspect += worker.free_slots;
      used += worker.used_slots();
    } else if (worker.state == pb::ABSENT) {
      absent += static_cast<int64_t>(worker.slots.size());
    }
  }
  text.Family("ringmaster_slots", "gauge", "Slots of the cluster by state.");
  text.Sample({{"state", "free"}}, static_cast<double>(free));
  text.Sample({{"state", "used"}}, static_cast<double>(used));
  text.Sample({{"state", "suspect"}}, static_cast<double>(suspect));
  text.Sample({{"state", "absent"}}, static_cast<double>(absent));
  text.Family("ringmaster_workers", "gauge", "Workers by state.");
  for (const auto& [name, count] : workers) {
    text.Sample({{"state", name}}, static_cast<double>(count));
  }
}

// Sums over the life of the journal, and times since the start of this process.
void WriteScheduling(const Coordinator& coordinator, int64_t steps_lost, PrometheusText& text) {
  const Statistics& statistics = coordinator.history().statistics();
  text.Family("ringmaster_scheduling_duration_seconds", "histogram",
              "Time of one scheduling step, without the journal.");
  text.Sample({}, coordinator.ledger().step_seconds());
  text.Family("ringmaster_journal_fsync_seconds", "histogram",
              "Time until a step's record was durable.");
  text.Sample({}, coordinator.ledger().sync_seconds());
  text.Family("ringmaster_journal_records", "gauge", "Records that a restart replays.");
  text.Sample({}, static_cast<double>(coordinator.ledger().records()));
  text.Family("ringmaster_queue_wait_seconds", "histogram",
              "Time from entering the queue to starting.");
  text.Sample({}, statistics.queue_wait_seconds);
  text.Family("ringmaster_recoveries_total", "counter", "Recoveries by cause.");
  for (const auto& [cause, count] : statistics.recoveries) {
    text.Sample({{"cause", cause}}, static_cast<double>(count));
  }
  text.Family("ringmaster_recovery_seconds", "histogram",
              "Time from a loss until all ranks had joined again.");
  text.Sample({}, statistics.recovery_seconds);
  text.Family("ringmaster_steps_lost_total", "counter",
              "Applied steps that had to be repeated, since the start.");
  text.Sample({}, static_cast<double>(steps_lost));
  text.Family("ringmaster_refused_events_total", "counter",
              "Events that were illegal in the state they met, by code.");
  for (const auto& [code, count] : coordinator.state().refusals()) {
    text.Sample({{"code", code}}, static_cast<double>(count));
  }
}

void WriteWorkers(Coordinator& coordinator, PrometheusText& text) {
  text.Family("ringmaster_worker_heartbeat_age_seconds", "gauge",
              "Time since an attached worker was heard.");
  for (const auto& [id, worker] : coordinator.workers().all()) {
    text.Sample({{"node", id}}, absl::ToDoubleSeconds(coordinator.liveness().SilentFor(id)));
  }
}

// One rank that has reported progress.
struct ReportingRank {
  Labels labels;
  const pb::Progress* progress;
};

std::vector<ReportingRank> ReportingRanks(Coordinator& coordinator) {
  std::vector<ReportingRank> ranks;
  for (const auto& [id, live] : coordinator.live().jobs()) {
    const scheduler::Job* const job = coordinator.state().FindJob(id);
    for (const auto& [rank, said] : live.ranks) {
      // Reports may be of a generation that the scheduler has left already: their node is not
      // known.
      const bool is_placed =
          job != nullptr && job->generation == live.generation &&
          static_cast<size_t>(rank) < job->gang.size();
      if (!is_placed || said.progress.step() == 0) continue;
      const std::string& node = job->gang[static_cast<size_t>(rank)].where.worker_id();
      ranks.push_back(
          {{{"job", id}, {"rank", absl::StrCat(rank)}, {"node", node}}, &said.progress});
    }
  }
  return ranks;
}

void WriteRanks(Coordinator& coordinator, PrometheusText& text) {
  const std::vector<ReportingRank> ranks = ReportingRanks(coordinator);
  text.Family("ringmaster_step_seconds", "counter",
              "Time of a rank in each phase of its steps, since it started.");
  for (const ReportingRank& rank : ranks) {
    // In the order of their names: protobuf's maps have none.
    const std::map<std::string, double> seconds(rank.progress->seconds().begin(),
                                                rank.progress->seconds().end());
    for (const auto& [phase, value] : seconds) {
      Labels labels = rank.labels;
      labels.emplace_back("phase", phase);
      text.Sample(labels, value);
    }
  }
  text.Family("ringmaster_samples_total", "counter", "Samples that a rank has trained on.");
  for (const ReportingRank& rank : ranks) {
    text.Sample(rank.labels, static_cast<double>(rank.progress->samples()));
  }
  text.Family("ringmaster_allreduce_bytes_total", "counter", "Bytes that a rank has reduced.");
  for (const ReportingRank& rank : ranks) {
    text.Sample(rank.labels, static_cast<double>(rank.progress->allreduce_bytes()));
  }
}

}  // namespace

std::string MetricsPage(Coordinator& coordinator) {
  PrometheusText text;
  text.Family("ringmaster_build_info", "gauge", "Always 1; the version is in the label.");
  text.Sample({{"version", coordinator.config().version}}, 1);
  WriteJobs(coordinator.state(), text);
  WriteSlots(coordinator.state(), text);
  WriteScheduling(coordinator, coordinator.live().steps_lost(), text);
  WriteWorkers(coordinator, text);
  WriteRanks(coordinator, text);
  return text.Take();
}

}  // namespace rm::coordinator
