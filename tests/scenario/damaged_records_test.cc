// A journal whose records were changed after they were written: folding them ends in a Status,
// never in a crash.
#include <catch2/catch.hpp>
#include <memory>
#include <string>
#include <vector>

#include "base/random.h"
#include "scheduler/core/scheduler.h"
#include "scheduler/state/dump.h"
#include "tests/scenario/random_world.h"

namespace rm::scheduler {
namespace {

std::vector<pb::JournalRecord> RecordsOf(uint64_t seed, int steps) {
  scenario::RandomWorld world(seed);
  const std::unique_ptr<Scheduler> scheduler = *Scheduler::Create(SchedulerOptions());
  std::vector<pb::JournalRecord> records;
  absl::Time now = absl::FromUnixSeconds(1'700'000'000);
  for (int i = 0; i < steps; ++i) {
    now += world.NextPause();
    records.push_back(scheduler->Step(world.Next(scheduler->state()), now).record);
  }
  return records;
}

// Folds until a record is refused; gives how it ended. The state can be looked at in any case.
absl::Status FoldAll(const std::vector<pb::JournalRecord>& records) {
  const std::unique_ptr<Scheduler> scheduler = *Scheduler::Create(SchedulerOptions());
  for (const pb::JournalRecord& record : records) {
    const absl::Status folded = scheduler->Fold(record);
    CHECK(!Dump(scheduler->state()).empty());
    if (!folded.ok()) return folded;
  }
  return absl::OkStatus();
}

TEST_CASE("records in which bytes were changed are folded or refused") {
  base::RandomStream random(11, 1);
  const std::vector<pb::JournalRecord> records = RecordsOf(400, 60);
  int refused = 0;
  for (int round = 0; round < 1500; ++round) {
    std::vector<pb::JournalRecord> damaged = records;
    pb::JournalRecord& victim = damaged[random.NextBelow(damaged.size())];
    std::string bytes = victim.SerializeAsString();
    const uint64_t changes = 1 + random.NextBelow(3);
    for (uint64_t i = 0; i < changes; ++i) {
      bytes[random.NextBelow(bytes.size())] = static_cast<char>(random.NextBelow(128));
    }
    if (!victim.ParseFromString(bytes)) continue;
    INFO("round " << round);
    const absl::Status status = FoldAll(damaged);
    if (!status.ok()) {
      ++refused;
      CHECK((absl::IsDataLoss(status) || absl::IsFailedPrecondition(status)));
    }
  }
  INFO("damage is noticed where it matters");
  CHECK(refused > 30);
}

TEST_CASE("records that are missing, doubled or exchanged are folded or refused") {
  base::RandomStream random(12, 1);
  int refused = 0;
  for (int round = 0; round < 300; ++round) {
    std::vector<pb::JournalRecord> records = RecordsOf(500 + static_cast<uint64_t>(round) % 10, 40);
    const size_t at = random.NextBelow(records.size() - 1);
    switch (random.NextBelow(3)) {
      case 0: records.erase(records.begin() + static_cast<std::ptrdiff_t>(at)); break;
      case 1: records.insert(records.begin() + static_cast<std::ptrdiff_t>(at), records[at]); break;
      default: std::swap(records[at], records[at + 1]);
    }
    INFO("round " << round << " at " << at);
    refused += FoldAll(records).ok() ? 0 : 1;
  }
  CHECK(refused > 30);
}

}  // namespace
}  // namespace rm::scheduler
