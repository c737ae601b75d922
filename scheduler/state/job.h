// What the scheduler knows about one job. Plain data: changed only by ClusterState, read by
// everyone.
//
// Invariants (checked by the property test of scheduler/core):
//  1. A living rank holds all slots of its placement. So a gang that comes up or runs holds all of
//     them, but for ranks that left by themselves and whose worker was lost after that.
//  2. A rank that is gone keeps its slots until the job leaves STARTING, RUNNING, RECOVERING and
//     STOPPING or places its next generation, unless its worker is lost.
//  3. A job in any other state holds none.
//  4. `generation` grows with every StartGang and never falls; at most one generation has living
//     ranks.
#ifndef RM_SCHEDULER_STATE_JOB_H_
#define RM_SCHEDULER_STATE_JOB_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "proto/scheduler.pb.h"

namespace rm::scheduler {

namespace pb = ::ringmaster::v1;

// How far one rank of the present generation is.
enum class RankPhase {
  kAssigned,   // it was placed; nothing has been heard of it
  kListening,  // its process is up and its address known
  kJoined,     // it is in the collective
  kGone,       // nothing of it is left
};

// One rank of the present (or, when the job holds none, of the last) generation.
struct GangRank {
  pb::Placement where;
  RankPhase phase = RankPhase::kAssigned;
  bool joined = false;    // it has been in the collective, even if it is gone now
  std::string address;    // empty until it listens
  int32_t exit_code = 0;  // of a rank that is gone
  int32_t signal = 0;     // of a rank that is gone: what killed it; 0: it exited by itself
  int64_t last_step = 0;  // of a rank that is gone: last applied step it reported
  bool exited = false;    // its exit was seen; false: gone with its worker, or refused

  bool gone() const { return phase == RankPhase::kGone; }
};

// Generation `generation` went on from step `first_step`.
struct LineageEntry {
  int64_t generation = 0;
  int64_t first_step = 0;
};

struct Job {
  // -- given by its user
  pb::SubmitJob submission;  // job_id, spec, user, request_id, source positions
  int64_t sequence = 0;      // order of submission, from 1; a requeued job keeps its place
  absl::Time submitted = absl::InfinitePast();

  // -- where it is in its life
  pb::JobState state = pb::JOB_STATE_UNSPECIFIED;
  pb::GangPhase gang_phase = pb::GANG_PHASE_UNSPECIFIED;  // STARTING, RECOVERING
  pb::Reason reason;                                      // of the last transition
  absl::Time since = absl::InfinitePast();                // when it entered `state`
  absl::Time first_running = absl::InfinitePast();        // InfinitePast: never
  absl::Time ended = absl::InfinitePast();                // InfinitePast: not ended

  // -- preflight
  bool preflight_pending = false;
  std::vector<std::string> preflight_errors;

  // -- its gang
  int64_t generation = 0;             // 0: never placed; the first is 1
  int32_t restarts = 0;               // losses so far that counted against scheduling.max_restarts
  std::vector<GangRank> gang;         // index = rank
  int32_t heard_ranks = 0;            // of the gang: those that have listened
  int32_t joined_ranks = 0;           // of the gang: those that have joined
  int32_t living_ranks = 0;           // of the gang: those that are not proven gone
  std::vector<LineageEntry> lineage;  // generations that trained, oldest first
  pb::Plan plan;                      // that the newest of them followed; empty: none trained yet
  absl::Time lost_at = absl::InfiniteFuture();        // the loss that is being handled
  absl::Time left_early_at = absl::InfiniteFuture();  // first exit with 0, training not done

  // -- stopping
  pb::JobState stop_target = pb::JOB_STATE_UNSPECIFIED;
  pb::Reason stop_cause;                              // why it stops; becomes the reason of its end
  absl::Time stop_deadline = absl::InfiniteFuture();  // what is left then is killed

  // -- what it did
  int64_t last_checkpoint_step = -1;  // -1: none
  std::string last_checkpoint_path;
  std::map<std::string, double> metrics;  // newest value of each name, from checkpoints and the end
  bool training_done = false;
  absl::Time training_done_at = absl::InfiniteFuture();
  int64_t final_step = 0;
  std::string weights_sha256;

  // -- failures of its own (not those of a lost worker or a kill from outside)
  int64_t failed_generation = 0;  // last generation with such a failure; 0: none
  int64_t failed_step = 0;        // where it was
  bool failed_again = false;      // the one before it was at the same step

  // -- time limit
  absl::Duration counted_before = absl::ZeroDuration();  // time in earlier stays in counting states
  absl::Time counting_since = absl::InfiniteFuture();    // InfiniteFuture: not in a counting state

  // -- service: what policies that share by service go by
  absl::Duration served_before = absl::ZeroDuration();  // time in earlier stays in RUNNING
  absl::Time serving_since = absl::InfiniteFuture();    // InfiniteFuture: not in RUNNING

  // -- what the indices of the ClusterState hold of it
  bool in_queue = false;
  bool in_replacing = false;
  bool in_holding = false;
  absl::Time indexed_deadline = absl::InfiniteFuture();

  const std::string& id() const { return submission.job_id(); }
  const pb::JobSpec& spec() const { return submission.spec(); }
  const pb::SchedulingSpec& scheduling() const { return submission.spec().scheduling(); }
  const pb::ResourceSpec& resources() const { return submission.spec().resources(); }

  // In the queue and free to be placed.
  bool Placeable() const {
    return state == pb::QUEUED && !preflight_pending && preflight_errors.empty();
  }
  // In RUNNING, or its ranks come up: a rank that leaves now is a loss.
  bool Together() const { return state == pb::RUNNING || gang_phase == pb::COMING_UP; }
  // Time in RUNNING until `now`.
  absl::Duration Served(absl::Time now) const {
    return serving_since == absl::InfiniteFuture() ? served_before
                                                   : served_before + (now - serving_since);
  }
  int32_t world_size() const { return static_cast<int32_t>(gang.size()); }
};

}  // namespace rm::scheduler

#endif  // RM_SCHEDULER_STATE_JOB_H_
