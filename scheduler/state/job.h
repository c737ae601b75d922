// What the scheduler knows about one job. Plain data: changed only by ClusterState, read by
// everyone.
//
// Invariants (checked by the property test of scheduler/core):
//  1. A job in STARTING with phase COMING_UP, and a job in RUNNING, holds all slots of all its
//     ranks.
//  2. A job in STARTING or RECOVERING with another phase, and one in STOPPING, holds the slots of
//     its ranks on workers that are not lost.
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
  std::string address;     // empty until it listens
  int32_t exit_code = 0;   // of a rank that is gone
  int32_t signal = 0;      // of a rank that is gone: what killed it; 0: it exited by itself
  int64_t last_step = 0;   // of a rank that is gone: last applied step it reported
  bool exited = false;     // its exit was seen; false: gone with its worker, or refused

  bool gone() const { return phase == RankPhase::kGone; }
};

// Generation `generation` went on from step `first_step`.
struct LineageEntry {
  int64_t generation = 0;
  int64_t first_step = 0;
};

struct Job {
  // -- given by its user
  pb::SubmitJob submission;   // job_id, spec, user, request_id, source positions
  int64_t sequence = 0;       // order of submission, from 1; a requeued job keeps its place
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
  int64_t generation = 0;      // 0: never placed; the first is 1
  int32_t restarts = 0;        // losses so far that counted against scheduling.max_restarts
  std::vector<GangRank> gang;  // index = rank
  std::vector<LineageEntry> lineage;
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

  const std::string& id() const { return submission.job_id(); }
  const pb::JobSpec& spec() const { return submission.spec(); }
  const pb::SchedulingSpec& scheduling() const { return submission.spec().scheduling(); }
  const pb::ResourceSpec& resources() const { return submission.spec().resources(); }

  // In the queue and free to be placed.
  bool Placeable() const {
    return state == pb::QUEUED && !preflight_pending && preflight_errors.empty();
  }
  // Ranks of the present generation that are not proven gone.
  int LivingRanks() const {
    int living = 0;
    for (const GangRank& rank : gang) living += rank.gone() ? 0 : 1;
    return living;
  }
};

}  // namespace rm::scheduler

#endif  // RM_SCHEDULER_STATE_JOB_H_
