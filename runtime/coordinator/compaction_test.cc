#include "runtime/coordinator/compaction.h"

#include <memory>
#include <random>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "absl/strings/str_cat.h"
#include "scheduler/core/scheduler.h"

namespace rm::coordinator {
namespace {

namespace pb = ::ringmaster::v1;
using Records = std::vector<pb::JournalRecord>;

// A scheduler that forgets soon.
std::unique_ptr<scheduler::Scheduler> NewScheduler() {
  scheduler::SchedulerOptions options;
  options.retention.ended_jobs = 3;
  options.retention.lost_workers = 1;
  return scheduler::Scheduler::Create(options).value();
}

std::unique_ptr<scheduler::Scheduler> Folded(const Records& records) {
  auto folded = NewScheduler();
  for (const pb::JournalRecord& record : records) {
    const absl::Status status = folded->Fold(record);
    INFO(status);
    INFO(record.ShortDebugString());
    REQUIRE(status.ok());
  }
  return folded;
}

Records CompactedFor(const scheduler::ClusterState& state, const Records& records) {
  Compactor compactor(state);
  for (const pb::JournalRecord& record : records) compactor.Add(record);
  return compactor.Take();
}

// A cluster to which things happen.
class World {
 public:
  explicit World(uint64_t seed) : random_(seed) {}

  std::unique_ptr<scheduler::Scheduler> scheduler = NewScheduler();
  Records records;

  void Step(const pb::Event& event) {
    now_ += absl::Milliseconds(100);
    records.push_back(scheduler->Step({event}, now_).record);
  }
  void Attach(const std::string& id) {
    pb::Event event;
    event.mutable_worker_attached()->set_worker_id(id);
    event.mutable_worker_attached()->set_host("host");
    event.mutable_worker_attached()->set_version(absl::StrCat("0.1.", random_() % 3));
    event.mutable_worker_attached()->set_slots(2);
    Step(event);
  }
  void Lose(const std::string& id) {
    pb::Event event;
    event.mutable_worker_lost()->set_worker_id(id);
    Step(event);
  }
  void Submit(int32_t ranks) {
    pb::Event event;
    pb::SubmitJob& submit = *event.mutable_submit();
    submit.set_job_id(absl::StrCat("job-", ++submitted_));
    submit.set_request_id(absl::StrCat("request-", submitted_));
    submit.set_preflight_pending(true);
    submit.mutable_spec()->mutable_resources()->set_ranks_min(ranks);
    submit.mutable_spec()->mutable_resources()->set_ranks_max(ranks);
    submit.mutable_spec()->mutable_resources()->set_slots_per_rank(1);
    submit.mutable_spec()->mutable_scheduling()->set_max_restarts(2);
    Step(event);
    event.Clear();
    event.mutable_preflight()->set_job_id(absl::StrCat("job-", submitted_));
    Step(event);
  }
  void Cancel() {
    pb::Event event;
    event.mutable_cancel()->set_job_id(absl::StrCat("job-", 1 + random_() % (submitted_ + 1)));
    event.mutable_cancel()->set_kill(random_() % 2 == 0);
    Step(event);  // refused when there is no such job any more
  }
  void Start() {
    pb::Event event;
    event.mutable_coordinator_started();
    Step(event);
  }
  // Every gang goes one step on its way: it comes up, is done, or loses a rank.
  void Progress() {
    std::vector<std::string> ids;
    for (const auto& [id, job] : scheduler->state().jobs()) ids.push_back(id);
    for (const std::string& id : ids) {
      for (int32_t rank = 0; rank < 2; ++rank) ProgressOf(id, rank);
    }
  }

  // Anything, by the seed.
  void Happen() {
    switch (random_() % 12) {
      case 0: return Attach(absl::StrCat("w", random_() % 4));
      case 1: return Lose(absl::StrCat("w", random_() % 4));
      case 2: return Cancel();
      case 3: return random_() % 4 == 0 ? Start() : Cancel();
      case 4: now_ += absl::Seconds(40); return Step(TickEvent());
      case 5:
      case 6: return Submit(1 + static_cast<int32_t>(random_() % 2));
      default: return Progress();
    }
  }

 private:
  static pb::Event TickEvent() {
    pb::Event event;
    event.mutable_tick();
    return event;
  }
  void ProgressOf(const std::string& id, int32_t index) {
    const scheduler::Job* const job = scheduler->state().FindJob(id);
    if (job == nullptr || index >= job->world_size()) return;
    const scheduler::GangRank& rank = job->gang[static_cast<size_t>(index)];
    if (rank.gone()) return;
    pb::RankRef ref;
    ref.set_job_id(id);
    ref.set_generation(job->generation);
    ref.set_rank(index);
    pb::Event event;
    if (rank.phase == scheduler::RankPhase::kAssigned) {
      *event.mutable_rank_listening()->mutable_rank() = ref;
      event.mutable_rank_listening()->set_address(absl::StrCat("host:", index));
    } else if (rank.phase == scheduler::RankPhase::kListening) {
      *event.mutable_rank_joined()->mutable_rank() = ref;
    } else if (index == 0 && !job->training_done && random_() % 3 == 0) {
      *event.mutable_training_done()->mutable_rank() = ref;
      event.mutable_training_done()->set_step(100);
    } else if (job->training_done || random_() % 4 == 0) {
      *event.mutable_rank_exited()->mutable_rank() = ref;
      event.mutable_rank_exited()->set_signal(job->training_done ? 0 : 9);
    } else {
      *event.mutable_checkpoint_committed()->mutable_rank() = ref;
      event.mutable_checkpoint_committed()->set_step(7);
      event.mutable_checkpoint_committed()->set_path("/storage/x");
    }
    Step(event);
  }

  std::mt19937_64 random_;
  absl::Time now_ = absl::FromUnixSeconds(1'800'000'000);
  uint64_t submitted_ = 0;
};

TEST_CASE("whatever has happened, fewer records fold to the same state, and so do those after it") {
  for (uint64_t seed = 1; seed <= 60; ++seed) {
    CAPTURE(seed);
    World world(seed);
    Records journal;  // compacted now and then, as a ledger does it
    size_t taken = 0;
    for (int i = 0; i < 300; ++i) {
      world.Happen();
      if (i % 60 != 59) continue;
      journal.insert(journal.end(), world.records.begin() + static_cast<std::ptrdiff_t>(taken),
                     world.records.end());
      taken = world.records.size();
      const scheduler::ClusterState& state = world.scheduler->state();
      const size_t before = journal.size();
      journal = CompactedFor(state, journal);
      CHECK(journal.size() <= before);
      REQUIRE(IsSameState(state, Folded(journal)->state()));
      REQUIRE(IsSameState(state, Folded(CompactedFor(state, world.records))->state()));
    }
    CHECK(journal.size() < world.records.size() / 2);
  }
}

TEST_CASE("a scheduler over compacted records decides as one over all of them") {
  for (uint64_t seed = 1; seed <= 10; ++seed) {
    CAPTURE(seed);
    World world(seed);
    for (int i = 0; i < 200; ++i) world.Happen();
    auto again = Folded(CompactedFor(world.scheduler->state(), world.records));
    const size_t before = world.records.size();
    for (int i = 0; i < 100; ++i) world.Happen();
    for (size_t i = before; i < world.records.size(); ++i) {
      const pb::JournalRecord& record = world.records[i];
      const std::vector<pb::Event> events(record.events().begin(), record.events().end());
      const pb::JournalRecord same =
          again->Step(events, absl::FromUnixNanos(record.now_ns())).record;
      REQUIRE(same.SerializeAsString() == record.SerializeAsString());
    }
    CHECK(IsSameState(world.scheduler->state(), again->state()));
  }
}

TEST_CASE("a cluster without jobs is what is left of its workers, and nothing stays nothing") {
  World world(1);
  CHECK(CompactedFor(world.scheduler->state(), {}).empty());
  for (int i = 0; i < 50; ++i) {
    world.Attach("w1");
    world.Attach("w2");
    world.Lose("w1");
    world.Start();
  }
  world.Attach("w2");
  const Records records = CompactedFor(world.scheduler->state(), world.records);
  REQUIRE(records.size() == 1);
  CHECK(records[0].worker_transitions_size() == 3);  // w1 up and lost, w2 up
  CHECK(IsSameState(world.scheduler->state(), Folded(records)->state()));
}

TEST_CASE("states that differ in anything but counters are told apart") {
  World a(1);
  World b(1);
  a.Attach("w1");
  b.Attach("w1");
  CHECK(IsSameState(a.scheduler->state(), b.scheduler->state()));
  b.Cancel();  // refused: only a counter
  CHECK(IsSameState(a.scheduler->state(), b.scheduler->state()));
  b.Submit(1);
  CHECK_FALSE(IsSameState(a.scheduler->state(), b.scheduler->state()));
}

}  // namespace
}  // namespace rm::coordinator
