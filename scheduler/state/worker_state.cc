#include "scheduler/state/worker_state.h"

namespace rm::scheduler {
namespace {

// One line an arrow, as for jobs: the golden scripts of tests/scenario must take every one of them.
constexpr WorkerArrow kArrows[] = {
    {pb::WORKER_STATE_UNSPECIFIED, pb::READY, "attached for the first time"},
    {pb::READY, pb::READY, "attached again after its stream broke"},
    {pb::READY, pb::SUSPECT, "silent"},
    {pb::READY, pb::ABSENT, "the coordinator started"},
    {pb::READY, pb::LOST, "its stream broke for good"},
    {pb::SUSPECT, pb::READY, "heard, or attached again"},
    {pb::SUSPECT, pb::ABSENT, "the coordinator started"},
    {pb::SUSPECT, pb::LOST, "silent for too long, or its peers confirm it"},
    {pb::ABSENT, pb::READY, "attached again"},
    // Each start gives the absent ones their whole time.
    {pb::ABSENT, pb::ABSENT, "the coordinator started once more"},
    {pb::ABSENT, pb::LOST, "the adopt window is over"},
    {pb::LOST, pb::READY, "attached again, as if it were new"},
};

}  // namespace

absl::Span<const WorkerArrow> WorkerArrows() { return kArrows; }

// As for jobs, a walk over a short table.
bool IsLegal(pb::WorkerState from, pb::WorkerState to) {
  for (const WorkerArrow& arrow : kArrows) {
    if (arrow.from == from && arrow.to == to) return true;
  }
  return false;
}

}  // namespace rm::scheduler
