#include "runtime/coordinator/ledger.h"

#include <set>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/simulated_clock.h"
#include "base/temporary_folder.h"

namespace rm::coordinator {
namespace {

namespace pb = ::ringmaster::v1;

struct Place {
  base::TemporaryFolder folder;
  base::SimulatedClock clock{absl::FromUnixSeconds(1000)};

  absl::StatusOr<std::unique_ptr<Ledger>> Open(const std::string& policy = "priority") {
    auto journal = journal::Journal::Open(folder.File("journal.db"));
    REQUIRE(journal.ok());
    scheduler::SchedulerOptions options;
    options.policy = policy;
    return Ledger::Open(*std::move(journal), options, clock);
  }
  std::unique_ptr<Ledger> MustOpen() {
    auto ledger = Open();
    INFO(ledger.status());
    REQUIRE(ledger.ok());
    return *std::move(ledger);
  }
};

pb::Event SubmitEvent(const std::string& job_id, double queue_timeout = 0) {
  pb::Event event;
  event.mutable_submit()->set_job_id(job_id);
  pb::JobSpec& spec = *event.mutable_submit()->mutable_spec();
  spec.mutable_resources()->set_ranks_min(1);
  spec.mutable_resources()->set_ranks_max(1);
  spec.mutable_resources()->set_slots_per_rank(1);
  spec.mutable_scheduling()->set_queue_timeout(queue_timeout);
  return event;
}

pb::Event CancelEvent(const std::string& job_id) {
  pb::Event event;
  event.mutable_cancel()->set_job_id(job_id);
  return event;
}

std::vector<std::string> JobsOf(const Ledger& ledger) {
  std::vector<std::string> ids;
  for (const History::Submitted& job : ledger.history().jobs()) ids.push_back(job.job_id);
  return ids;
}

TEST_CASE("a step is decided, durable, and part of the history") {
  Place place;
  {
    const auto ledger = place.MustOpen();
    const auto record = ledger->Step({CancelEvent("ghost"), SubmitEvent("a"), SubmitEvent("b")});
    REQUIRE(record.ok());
    CHECK(record->events_size() == 3);
    REQUIRE(record->refusals_size() == 1);
    CHECK(record->refusals(0).event_index() == 1);
    CHECK(JobsOf(*ledger) == std::vector<std::string>{"a", "b"});
    CHECK(ledger->sync_seconds().count() == 1);
  }
  const auto again = place.MustOpen();
  CHECK(JobsOf(*again) == std::vector<std::string>{"a", "b"});
  REQUIRE(again->state().FindJob("b") != nullptr);
  CHECK(again->state().FindJob("b")->state == pb::QUEUED);
}

TEST_CASE("a step without anything to say is not written") {
  Place place;
  const auto ledger = place.MustOpen();
  REQUIRE(ledger->Step({}).ok());
  pb::Event tick;
  tick.mutable_tick();
  REQUIRE(ledger->Step({tick}).ok());
  CHECK(ledger->sync_seconds().count() == 0);
  CHECK(ledger->step_seconds().count() == 2);
  CHECK(ledger->history().statistics().records == 0);
}

TEST_CASE("a step is due when the scheduler wants to be woken, after a restart too") {
  Place place;
  {
    const auto ledger = place.MustOpen();
    CHECK_FALSE(ledger->IsDue());
    REQUIRE(ledger->Step({SubmitEvent("a", 60)}).ok());
    CHECK(ledger->next_wake_up() == place.clock.Now() + absl::Seconds(60));
  }
  const auto ledger = place.MustOpen();
  CHECK_FALSE(ledger->IsDue());
  place.clock.Advance(absl::Seconds(60));
  CHECK(ledger->IsDue());
  REQUIRE(ledger->Step({}).ok());
  CHECK(ledger->state().FindJob("a")->state == pb::FAILED);
  CHECK_FALSE(ledger->IsDue());
}

TEST_CASE("a record that does not follow from those before it is named") {
  Place place;
  {
    const auto journal = journal::Journal::Open(place.folder.File("journal.db"));
    REQUIRE(journal.ok());
    pb::JournalRecord fine;
    pb::JournalRecord wrong;
    pb::JobTransition& transition = *wrong.add_job_transitions();
    transition.set_job_id("never-submitted");
    transition.set_from(pb::RUNNING);
    transition.set_to(pb::SUCCEEDED);
    REQUIRE((*journal)->Append({fine, wrong}).ok());
  }
  const auto ledger = place.Open();
  CHECK(ledger.status().code() == absl::StatusCode::kDataLoss);
  CHECK(absl::StrContains(ledger.status().message(), "journal.db, record 2: "));
}

TEST_CASE("a policy that nobody knows is refused") {
  Place place;
  const auto ledger = place.Open("best");
  CHECK(ledger.status().code() == absl::StatusCode::kInvalidArgument);
}

// A ledger that forgets and compacts soon.
std::unique_ptr<Ledger> OpenSmall(Place& place) {
  auto journal = journal::Journal::Open(place.folder.File("journal.db"));
  REQUIRE(journal.ok());
  scheduler::SchedulerOptions options;
  options.retention.ended_jobs = 3;
  auto ledger = Ledger::Open(*std::move(journal), options, place.clock, /*compact_after=*/20);
  INFO(ledger.status());
  REQUIRE(ledger.ok());
  return *std::move(ledger);
}

TEST_CASE("a journal of many jobs that have ended does not grow for ever, nor does what is known") {
  Place place;
  std::string newest;
  {
    auto ledger = OpenSmall(place);
    std::set<std::string> forgotten;
    REQUIRE(ledger->Step({SubmitEvent("stays")}).ok());
    for (int i = 0; i < 2000; ++i) {
      newest = absl::StrCat("job-", i);
      REQUIRE(ledger->Step({SubmitEvent(newest)}).ok());
      REQUIRE(ledger->Step({CancelEvent(newest)}).ok());
      REQUIRE(ledger->records() <= 42);
      REQUIRE(ledger->state().jobs().size() <= 5);
      REQUIRE(ledger->history().jobs().size() <= 1010);
      // Each is told of once, so that others can forget it, too.
      for (const std::string& id : ledger->TakeForgotten()) REQUIRE(forgotten.insert(id).second);
    }
    CHECK(forgotten.size() + ledger->history().jobs().size() == 2001);
    CHECK(forgotten.count("stays") == 0);
  }
  auto again = OpenSmall(place);
  CHECK(again->records() <= 42);
  CHECK(again->state().FindJob("stays")->state == pb::QUEUED);
  CHECK(again->state().FindJob(newest)->state == pb::CANCELLED);
  CHECK(again->state().FindJob("job-0") == nullptr);
  CHECK(again->state().jobs().size() == 4);
  REQUIRE(again->Step({CancelEvent("stays")}).ok());
  CHECK(again->state().FindJob("stays")->state == pb::CANCELLED);
}

TEST_CASE("a journal of jobs that live is left as it is") {
  Place place;
  auto ledger = OpenSmall(place);
  for (int i = 0; i < 100; ++i) REQUIRE(ledger->Step({SubmitEvent(absl::StrCat("job-", i))}).ok());
  CHECK(ledger->records() == 100);
}

}  // namespace
}  // namespace rm::coordinator
