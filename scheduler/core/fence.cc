// A refusal alone protects the state, and not the world: the rank that was refused does not hear of
// it and goes on. In the ordinary course of things there is no such rank, since a generation is
// made only when all of the last one have left or their worker was lost. What remains are races: a
// start that was on its way when its stream broke, and a worker that was given up and lives.
#include "scheduler/core/fence.h"

#include <algorithm>

#include "scheduler/core/lifecycle.h"

namespace rm::scheduler {
namespace {

// Refusals that say that there should be no such rank. The others (it said so before, its job is
// stopping already …) concern the event and not its right to live.
constexpr absl::string_view kNoSuchRank[] = {"UnknownJob", "JobEnded", "StaleGeneration",
                                             "UnknownRank", "RankGone"};

// RankHung is not among these events: it is the coordinator's own judgement of a rank it knows.
// The rank that lived when it was reported; nullptr: the event is of no rank, or of its end.
const pb::RankRef* LivingRankOf(const pb::Event& event) {
  switch (event.event_case()) {
    case pb::Event::kRankListening: return &event.rank_listening().rank();
    case pb::Event::kRankJoined: return &event.rank_joined().rank();
    case pb::Event::kCheckpointCommitted: return &event.checkpoint_committed().rank();
    case pb::Event::kTrainingDone: return &event.training_done().rank();
    case pb::Event::kRankNotice: return &event.rank_notice().rank();
    default: return nullptr;
  }
}

}  // namespace

// No grace and no checkpoint: what it would save belongs to a lineage that has ended.
void StopRefusedRank(StepContext& step, const pb::Event& event, const pb::Reason& refused) {
  const pb::RankRef* const rank = LivingRankOf(event);
  if (rank == nullptr || event.reported_by().empty()) return;
  const bool no_such_rank =
      std::any_of(std::begin(kNoSuchRank), std::end(kNoSuchRank),
                  [&](absl::string_view code) { return refused.code() == code; });
  if (no_such_rank) TellStopRank(step, event.reported_by(), *rank, refused, false);
}

}  // namespace rm::scheduler
