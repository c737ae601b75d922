// Who calls Step only for events and at the wake-ups it names decides the same as who calls it
// every second.
#include <catch2/catch.hpp>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "scheduler/core/scheduler.h"
#include "tests/scenario/random_world.h"

namespace rm::scheduler {
namespace {

constexpr int kInstants = 250;

struct Instant {
  absl::Time at;
  std::vector<pb::Event> events;
};

// Every transition with its time, and every action, one line each.
void Note(const pb::JournalRecord& record, std::vector<std::string>& lines) {
  for (const auto& transition : record.worker_transitions()) {
    lines.push_back(transition.ShortDebugString());
  }
  for (const auto& transition : record.job_transitions()) {
    lines.push_back(transition.ShortDebugString());
  }
  for (const auto& action : record.actions()) {
    lines.push_back(absl::StrCat(record.now_ns(), " ", action.ShortDebugString()));
  }
}

TEST_CASE("no timer is missed between the wake-ups") {
  for (uint64_t seed = 200; seed < 215; ++seed) {
    INFO("seed " << seed);
    scenario::RandomWorld world(seed);
    const std::unique_ptr<Scheduler> woken = *Scheduler::Create(SchedulerOptions());
    const std::unique_ptr<Scheduler> ticking = *Scheduler::Create(SchedulerOptions());
    std::vector<std::string> woken_lines;
    std::vector<std::string> ticking_lines;
    absl::Time before = absl::FromUnixSeconds(1'700'000'000);
    for (int i = 0; i < kInstants; ++i) {
      const absl::Time at = before + world.NextPause();
      while (woken->next_wake_up() < at) {
        Note(woken->Step({}, woken->next_wake_up()).record, woken_lines);
      }
      for (absl::Time tick = before + absl::Seconds(1); tick < at; tick += absl::Seconds(1)) {
        Note(ticking->Step({}, tick).record, ticking_lines);
      }
      const std::vector<pb::Event> events = world.Next(woken->state());
      Note(woken->Step(events, at).record, woken_lines);
      Note(ticking->Step(events, at).record, ticking_lines);
      REQUIRE(woken_lines == ticking_lines);
      woken_lines.clear();
      ticking_lines.clear();
      before = at;
    }
  }
}

TEST_CASE("a wake-up is never in the past, so nobody spins") {
  scenario::RandomWorld world(300);
  const std::unique_ptr<Scheduler> scheduler = *Scheduler::Create(SchedulerOptions());
  absl::Time now = absl::FromUnixSeconds(1'700'000'000);
  for (int i = 0; i < 1000; ++i) {
    now += world.NextPause();
    REQUIRE(scheduler->Step(world.Next(scheduler->state()), now).next_wake_up > now);
  }
}

}  // namespace
}  // namespace rm::scheduler
