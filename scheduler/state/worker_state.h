// The life of a worker: its states, and every arrow there is between them.
//
//              attached              silent
//    (new) ────────────► READY ◄────────────────► SUSPECT
//                         │ ▲    heard, attached     │
//     coordinator started ▼ │ attached               │ coordinator started
//                       ABSENT ◄─────────────────────┘
//
//   READY, SUSPECT, ABSENT ── its stream is gone, silent too long, adopt window over ──► LOST
//   READY, LOST ── attached ──► READY       ABSENT ── coordinator started again ──► ABSENT
//
//   READY    attached and heard: its free slots can be given to a gang, if it sees the storage.
//   SUSPECT  attached and silent: it keeps its ranks and gets no new ones.
//   ABSENT   known from the journal and not back: its slots are neither free nor lost.
//   LOST     gone with everything that ran on it.
//
// A worker may attach in any state, also in READY: its stream broke and it dialled again before
// anybody had noticed. Pure functions over a constant table: safe from any thread.
#ifndef RM_SCHEDULER_STATE_WORKER_STATE_H_
#define RM_SCHEDULER_STATE_WORKER_STATE_H_

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "proto/scheduler.pb.h"

namespace rm::scheduler {

namespace pb = ::ringmaster::v1;

// One legal transition, with what causes it. `from` is WORKER_STATE_UNSPECIFIED for a new worker.
struct WorkerArrow {
  pb::WorkerState from;
  pb::WorkerState to;
  absl::string_view when;
};

// Every legal arrow, each pair once.
absl::Span<const WorkerArrow> WorkerArrows();

// Whether a worker in `from` may become `to`.
bool IsLegal(pb::WorkerState from, pb::WorkerState to);

}  // namespace rm::scheduler

#endif  // RM_SCHEDULER_STATE_WORKER_STATE_H_
