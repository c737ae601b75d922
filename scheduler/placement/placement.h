// Which workers for a gang: the placements, by name.
//
// A placement is one pure function over the index of free slots. A gang is placed whole or not at
// all; an elastic gang (ranks_min < ranks_max) as large as it fits now, never below ranks_min. A
// rank has all its slots on one worker.
//
// To add one: a file with its function and a line in the table of placement.cc.
#ifndef RM_SCHEDULER_PLACEMENT_PLACEMENT_H_
#define RM_SCHEDULER_PLACEMENT_PLACEMENT_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "scheduler/placement/request.h"
#include "scheduler/state/free_slots.h"

namespace rm::scheduler {

struct Placer {
  absl::string_view name;
  absl::string_view summary;  // one sentence, for help texts
  // Shares of different workers of `free` whose ranks add up to the most that fit, between
  // ranks_min and ranks_max; empty when fewer than ranks_min fit. In the order in which ranks are
  // numbered.
  std::vector<WorkerShare> (*place)(const FreeSlots& free, const GangRequest& request);
};

// Every placement there is, in alphabetical order.
absl::Span<const Placer> Placers();

// nullptr: no placement has that name.
const Placer* FindPlacer(absl::string_view name);

// The placement that a job names (`name` empty: `fallback`). REQUIRES: there is one of that name.
const Placer& PlacerNamed(absl::string_view name, const Placer& fallback);

// "pack": for error messages and help texts.
std::string PlacerNames();

}  // namespace rm::scheduler

#endif  // RM_SCHEDULER_PLACEMENT_PLACEMENT_H_
