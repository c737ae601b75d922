#include "scheduler/state/job_state.h"

namespace rm::scheduler {
namespace {

// One line an arrow. The golden scripts of tests/scenario must take every one of them, so a line
// that nothing takes fails a test.
constexpr Arrow kArrows[] = {
    {pb::JOB_STATE_UNSPECIFIED, pb::QUEUED, "submitted"},
    {pb::QUEUED, pb::QUEUED, "its preflight has passed"},
    {pb::QUEUED, pb::STARTING, "placed"},
    {pb::QUEUED, pb::PAUSED, "paused"},
    {pb::QUEUED, pb::FAILED, "its preflight has failed, or queue_timeout is over"},
    {pb::QUEUED, pb::CANCELLED, "cancelled"},
    {pb::STARTING, pb::QUEUED, "a rank was lost and there is no place for another"},
    {pb::STARTING, pb::STARTING, "a rank was lost; generation g+1"},
    {pb::STARTING, pb::RUNNING, "every rank has joined"},
    {pb::STARTING, pb::STOPPING, "cancel, pause, time limit or a failure for good"},
    {pb::RUNNING, pb::RECOVERING, "a rank or worker was lost"},
    {pb::RUNNING, pb::STOPPING, "cancel, pause, time limit or a failure for good"},
    {pb::RUNNING, pb::SUCCEEDED, "the training is done and all ranks have left"},
    {pb::RECOVERING, pb::QUEUED, "recovery_grace is over"},
    {pb::RECOVERING, pb::RUNNING, "every rank of g+1 has joined"},
    {pb::RECOVERING, pb::RECOVERING, "the cause is known; it waits for slots; g+1 is placed"},
    {pb::RECOVERING, pb::STOPPING, "cancel, pause, time limit or a failure for good"},
    {pb::STOPPING, pb::QUEUED, "all have left; asked: to be placed again"},
    {pb::STOPPING, pb::STOPPING, "asked otherwise, or its grace is over"},
    {pb::STOPPING, pb::PAUSED, "all have left; asked: pause"},
    {pb::STOPPING, pb::SUCCEEDED, "all have left; the final checkpoint is committed"},
    {pb::STOPPING, pb::FAILED, "all have left; a failure for good"},
    {pb::STOPPING, pb::CANCELLED, "all have left; asked: cancel"},
    {pb::PAUSED, pb::QUEUED, "resumed"},
    {pb::PAUSED, pb::CANCELLED, "cancelled"},
};

struct StateText {
  pb::JobState state;
  absl::string_view name;
  absl::string_view sentence;
};

constexpr StateText kStates[] = {
    {pb::JOB_STATE_UNSPECIFIED, "New", "It is not submitted yet."},
    {pb::QUEUED, "Queued", "It waits for its preflight or for slots and holds nothing."},
    {pb::STARTING, "Starting", "Its gang holds its slots and its ranks come up."},
    {pb::RUNNING, "Running", "Every rank is in the collective."},
    {pb::RECOVERING, "Recovering", "A rank was lost and the next generation is being made."},
    {pb::STOPPING, "Stopping", "Its ranks are leaving."},
    {pb::PAUSED, "Paused", "It holds nothing and waits for resume."},
    {pb::SUCCEEDED, "Succeeded", "It was trained to its end."},
    {pb::FAILED, "Failed", "A failure ended it."},
    {pb::CANCELLED, "Cancelled", "Its user ended it."},
};

// clang-format off
constexpr absl::string_view kRefusalCodes[] = {
    "EmptyEvent",        // the event says nothing
    "InvalidJob",        // submit: resources that cannot be
    "DuplicateJob",      // submit: the id is taken
    "UnknownJob",        // no job of that id
    "JobEnded",          // the job is in an end state
    "AlreadyStopping",   // cancel, pause, hung: it is stopping already, as asked or more strongly
    "AlreadyPaused",     // pause of a paused job
    "AlreadyDone",       // pause, done, hung: its training is done
    "NotPaused",         // resume of a job that is not paused
    "NotPending",        // a preflight verdict that nobody waits for
    "InvalidWorker",     // attached without an id or slots
    "UnknownWorker",     // lost, silent, heard: no worker of that id
    "AlreadyLost",       // lost, silent: it is
    "NotReady",          // silent: it is absent or a suspect
    "NotSilent",         // heard: it is no suspect
    "StaleGeneration",   // of a rank that is not of the job's present generation
    "UnknownRank",       // the gang has no rank of that number
    "RankGone",          // of a rank that is proven gone
    "NotAssigned",       // start refused: the rank has listened
    "AlreadyListening",  // listening: it has said so
    "NotListening",      // joined: it never listened
    "AlreadyJoined",     // joined: it has said so
    "NoGang",            // done: the job holds no gang
    "AlreadyLeaving",    // hung: its gang is broken already
};
// clang-format on

// The first entry stands for a number that no state has, as a damaged journal may hold.
const StateText& TextOf(pb::JobState state) {
  for (const StateText& text : kStates) {
    if (text.state == state) return text;
  }
  return kStates[0];
}

}  // namespace

absl::Span<const Arrow> Arrows() { return kArrows; }

// A walk over a table of two dozen lines is faster than any index over it.
bool IsLegal(pb::JobState from, pb::JobState to) {
  for (const Arrow& arrow : kArrows) {
    if (arrow.from == from && arrow.to == to) return true;
  }
  return false;
}

bool IsEnded(pb::JobState state) {
  return state == pb::SUCCEEDED || state == pb::FAILED || state == pb::CANCELLED;
}

bool CountsTime(pb::JobState state) {
  return state == pb::STARTING || state == pb::RUNNING || state == pb::RECOVERING;
}

bool MayHoldSlots(pb::JobState state) { return CountsTime(state) || state == pb::STOPPING; }

absl::string_view StateName(pb::JobState state) { return TextOf(state).name; }

absl::string_view StateSentence(pb::JobState state) { return TextOf(state).sentence; }

absl::string_view WorkerStateName(pb::WorkerState state) {
  switch (state) {
    case pb::READY: return "Ready";
    case pb::SUSPECT: return "Suspect";
    case pb::ABSENT: return "Absent";
    case pb::LOST: return "Lost";
    default: return "New";
  }
}

absl::Span<const absl::string_view> RefusalCodes() { return kRefusalCodes; }

}  // namespace rm::scheduler
