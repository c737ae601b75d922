#include "scheduler/state/dump.h"

#include <catch2/catch.hpp>
#include <functional>
#include <string>

#include "absl/strings/match.h"

namespace rm::scheduler {
namespace {

int64_t Equal(const Job& /*job*/) { return 0; }

// A worker and a job that runs on it; `change` may alter the transitions before they are applied.
struct Story {
  pb::WorkerTransition ready;
  pb::JobTransition submitted;
  pb::JobTransition starts;
  pb::Event listening;
  pb::Event joined;
  pb::Refusal refusal;
  std::string storage_problem;  // when it attaches once more, at the end
};

std::string DumpOf(const std::function<void(Story&)>& change) {
  Story story;
  story.ready.set_worker_id("w1");
  story.ready.set_to(pb::READY);
  story.ready.set_slots(2);
  story.submitted.set_job_id("a");
  story.submitted.set_to(pb::QUEUED);
  story.submitted.mutable_submission()->set_job_id("a");
  story.starts.set_job_id("a");
  story.starts.set_from(pb::QUEUED);
  story.starts.set_to(pb::STARTING);
  story.starts.set_gang_phase(pb::COMING_UP);
  story.starts.set_generation(1);
  pb::Placement& placement = *story.starts.add_placement();
  placement.set_worker_id("w1");
  placement.add_slots(0);
  story.listening.mutable_rank_listening()->mutable_rank()->set_job_id("a");
  story.joined.mutable_rank_joined()->mutable_rank()->set_job_id("a");
  story.refusal.mutable_reason()->set_code("UnknownJob");
  change(story);
  ClusterState state(&Equal, Windows());
  CHECK(state.Apply(story.ready).ok());
  CHECK(state.Apply(story.submitted).ok());
  CHECK(state.Apply(story.starts).ok());
  pb::WorkerTransition again = story.ready;
  again.set_from(pb::READY);
  again.set_storage_problem(story.storage_problem);
  CHECK(state.Apply(again).ok());
  state.Apply(story.listening);
  state.Apply(story.joined);
  state.Apply(story.refusal);
  return Dump(state);
}

TEST_CASE("equal states give equal text") {
  CHECK(DumpOf([](Story&) {}) == DumpOf([](Story&) {}));
}

TEST_CASE("a difference anywhere is a difference of the text") {
  const std::string plain = DumpOf([](Story&) {});
  const std::function<void(Story&)> kChanges[] = {
      [](Story& s) { s.ready.set_host("elsewhere"); },
      [](Story& s) { s.ready.set_version("2"); },
      [](Story& s) { s.storage_problem = "not mounted"; },
      [](Story& s) { s.ready.set_slots(3); },
      [](Story& s) { (*s.ready.mutable_labels())["zone"] = "a"; },
      [](Story& s) { s.ready.mutable_reason()->set_sentence("why"); },
      [](Story& s) { s.ready.set_time_ns(1); },
      [](Story& s) { s.submitted.set_time_ns(1); },
      [](Story& s) { s.submitted.mutable_submission()->set_user("ada"); },
      [](Story& s) { s.submitted.mutable_submission()->mutable_spec()->set_name("x"); },
      [](Story& s) {
        s.submitted.mutable_submission()->mutable_spec()->mutable_scheduling()->set_time_limit(5);
      },
      [](Story& s) { s.starts.set_time_ns(1); },
      [](Story& s) { s.starts.set_restarts(1); },
      [](Story& s) { s.starts.mutable_reason()->set_code("Placed"); },
      [](Story& s) { s.starts.mutable_placement(0)->set_slots(0, 1); },
      [](Story& s) { s.starts.mutable_placement(0)->set_local_rank(1); },
      [](Story& s) { s.listening.mutable_rank_listening()->set_address("h:1"); },
      [](Story& s) { s.joined.mutable_rank_joined()->set_first_step(7); },
      [](Story& s) { s.joined.mutable_rank_joined()->mutable_plan()->set_threads(2); },
      [](Story& s) { s.refusal.mutable_reason()->set_code("JobEnded"); },
  };
  int number = 0;
  for (const auto& change : kChanges) {
    INFO("change " << number++);
    CHECK(DumpOf(change) != plain);
  }
}

TEST_CASE("a person finds jobs, ranks and workers by their names") {
  const std::string text = DumpOf([](Story&) {});
  for (const char* part : {"job a #1 Starting COMING_UP", "rank 0 on w1 slots 0", "worker w1 #1",
                           "slots a/0 -", "refused UnknownJob 1"}) {
    INFO(text);
    CHECK(absl::StrContains(text, part));
  }
}

}  // namespace
}  // namespace rm::scheduler
