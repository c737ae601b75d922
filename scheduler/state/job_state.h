// The life of a job: its states, and every arrow there is between them.
//
//            placed       all joined    trained, all left
//   QUEUED ─────────► STARTING ────────► RUNNING ─────────► SUCCEEDED
//     ▲ ▲   no place   │  ▲ │             │   ▲
//     │ └──────────────┘  └─┘ lost: g+1   │   │ all joined
//     │                               lost▼   │
//     └──── recovery_grace is over ───── RECOVERING ◄─┐
//                                             └───────┘ lost again: g+1
//
//   STARTING, RUNNING, RECOVERING ── cancel, pause, time limit, failure for good ──► STOPPING
//   STOPPING ── all have left: as asked ──► QUEUED, PAUSED, SUCCEEDED, FAILED or CANCELLED
//   QUEUED ── pause ──► PAUSED ── resume ──► QUEUED       QUEUED, PAUSED ── cancel ──► CANCELLED
//   QUEUED ── preflight failed, queue_timeout is over ──► FAILED
//
//   QUEUED      waits for its preflight or for slots; holds nothing.
//   STARTING    its gang holds all its slots; the ranks of this generation start, listen and join.
//   RUNNING     every rank is in the collective.
//   RECOVERING  a rank was lost: the old generation leaves, lost ranks are replaced, g+1 comes up.
//   STOPPING    its ranks are leaving; when all have left it becomes what was asked (stop target).
//   PAUSED      holds nothing; waits for resume, and then stands where it stood in the queue.
//   SUCCEEDED   trained to its end and the final checkpoint is committed.
//   FAILED      ended by a failure; the reason is the first cause.
//   CANCELLED   ended by its user.
//
// A notice is a transition to the same state that is no arrow: it is said and changes nothing.
// An event that finds a job in a state where it has no arrow is refused with one of
// RefusalCodes(). Pure functions over constant tables: safe from any thread.
#ifndef RM_SCHEDULER_STATE_JOB_STATE_H_
#define RM_SCHEDULER_STATE_JOB_STATE_H_

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "proto/scheduler.pb.h"

namespace rm::scheduler {

namespace pb = ::ringmaster::v1;

// One legal transition, with what causes it. `from` is JOB_STATE_UNSPECIFIED for a new job.
struct Arrow {
  pb::JobState from;
  pb::JobState to;
  absl::string_view when;
};

// Every legal arrow, each pair once, in the order of the states.
absl::Span<const Arrow> Arrows();

// Whether a job in `from` may become `to`.
bool IsLegal(pb::JobState from, pb::JobState to);

// SUCCEEDED, FAILED, CANCELLED: nothing changes such a job any more.
bool IsEnded(pb::JobState state);

// STARTING, RUNNING, RECOVERING, STOPPING: the job may hold slots.
bool MayHoldSlots(pb::JobState state);

// STARTING, RUNNING, RECOVERING: the time counts against scheduling.time_limit.
bool CountsTime(pb::JobState state);

// "Running"; "New" for JOB_STATE_UNSPECIFIED.
absl::string_view StateName(pb::JobState state);

// One sentence that says what a job in `state` does.
absl::string_view StateSentence(pb::JobState state);

// "Ready", "Suspect", "Absent", "Lost"; "New" for WORKER_STATE_UNSPECIFIED.
absl::string_view WorkerStateName(pb::WorkerState state);

// Every code with which an event may be refused (Refusal.reason.code).
absl::Span<const absl::string_view> RefusalCodes();

}  // namespace rm::scheduler

#endif  // RM_SCHEDULER_STATE_JOB_STATE_H_
