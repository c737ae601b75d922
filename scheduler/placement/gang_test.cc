#include "scheduler/placement/gang.h"

#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace rm::scheduler {
namespace {

int64_t Equal(const Job& /*job*/) { return 0; }

// "w1[0] w1[1].1 w2[0]": worker, slots, and the local rank where it is not 0; in order of rank.
std::string Text(const std::vector<pb::Placement>& gang) {
  std::string text;
  for (size_t i = 0; i < gang.size(); ++i) {
    CHECK(gang[i].rank() == static_cast<int>(i));
    absl::StrAppend(&text, i == 0 ? "" : " ", gang[i].worker_id(), "[",
                    absl::StrJoin(gang[i].slots(), ","), "]");
    if (gang[i].local_rank() > 0) absl::StrAppend(&text, ".", gang[i].local_rank());
  }
  return text;
}

struct Fixture {
  Fixture() : state(&Equal, Windows()) {}

  void Worker(const std::string& id, int slots, const std::string& zone = "") {
    pb::WorkerTransition transition;
    transition.set_worker_id(id);
    const auto* known = state.FindWorker(id);
    transition.set_from(known == nullptr ? pb::WORKER_STATE_UNSPECIFIED : known->state);
    transition.set_to(pb::READY);
    transition.set_slots(slots);
    if (!zone.empty()) (*transition.mutable_labels())["zone"] = zone;
    REQUIRE(state.Apply(transition).ok());
  }
  void Apart(const std::string& id, int slots) {
    pb::WorkerTransition transition;
    transition.set_worker_id(id);
    transition.set_from(state.FindWorker(id)->state);
    transition.set_to(pb::READY);
    transition.set_slots(slots);
    transition.set_storage_problem("not mounted");
    REQUIRE(state.Apply(transition).ok());
  }
  void Worker(const std::string& id, pb::WorkerState to) {
    pb::WorkerTransition transition;
    transition.set_worker_id(id);
    transition.set_from(state.FindWorker(id)->state);
    transition.set_to(to);
    REQUIRE(state.Apply(transition).ok());
  }
  const Job& Submit(const std::string& id, int min, int max, int slots = 1,
                    const std::string& zone = "") {
    pb::JobTransition transition;
    transition.set_job_id(id);
    transition.set_to(pb::QUEUED);
    transition.mutable_submission()->set_job_id(id);
    pb::ResourceSpec& resources =
        *transition.mutable_submission()->mutable_spec()->mutable_resources();
    resources.set_ranks_min(min);
    resources.set_ranks_max(max);
    resources.set_slots_per_rank(slots);
    if (!zone.empty()) (*resources.mutable_node_selector())["zone"] = zone;
    REQUIRE(state.Apply(transition).ok());
    return *state.FindJob(id);
  }
  std::string Place(const Job& job) { return Text(PlaceGang(state, *FindPlacer("pack"), job)); }
  std::string PlaceNext(const Job& job) {
    return Text(PlaceAgain(state, *FindPlacer("pack"), job));
  }
  // Places `job` where PlaceGang says, and breaks its gang.
  void StartAndBreak(const Job& job) {
    pb::JobTransition starts;
    starts.set_job_id(job.id());
    starts.set_from(pb::QUEUED);
    starts.set_to(pb::STARTING);
    starts.set_generation(1);
    starts.set_gang_phase(pb::COMING_UP);
    for (const pb::Placement& placement : PlaceGang(state, *FindPlacer("pack"), job)) {
      *starts.add_placement() = placement;
    }
    REQUIRE(state.Apply(starts).ok());
  }

  ClusterState state;
};

TEST_CASE_METHOD(Fixture, "ranks take the lowest free slots of their worker") {
  Worker("w1", 5);
  StartAndBreak(Submit("a", 1, 1, 2));
  CHECK(Place(Submit("b", 2, 2)) == "w1[2] w1[3].1");
  CHECK(Place(Submit("c", 1, 1, 3)) == "w1[2,3,4]");
  CHECK(Place(Submit("d", 1, 1, 4)) == "");
}

TEST_CASE_METHOD(Fixture, "only workers with the labels of the selector count") {
  Worker("w1", 2, "a");
  Worker("w2", 4, "b");
  Worker("w3", 1);
  CHECK(Place(Submit("a", 2, 2, 1, "a")) == "w1[0] w1[1].1");
  CHECK(Place(Submit("b", 3, 3, 1, "a")) == "");
  CHECK(Place(Submit("c", 1, 9, 1, "b")) == "w2[0] w2[1].1 w2[2].2 w2[3].3");
  CHECK(Place(Submit("d", 1, 1, 1, "c")) == "");
}

TEST_CASE_METHOD(Fixture, "what could ever fit counts absent workers and whole ranks only") {
  Worker("w1", 5);
  Worker("w2", 3);
  Worker("w3", 4);
  Worker("w2", pb::ABSENT);
  Worker("w3", pb::LOST);
  CHECK(RanksThatCouldFit(state, Submit("a", 1, 1, 1).resources()) == 8);
  CHECK(RanksThatCouldFit(state, Submit("b", 1, 1, 2).resources()) == 3);
  CHECK(RanksThatCouldFit(state, Submit("c", 1, 1, 6).resources()) == 0);
}

TEST_CASE_METHOD(Fixture, "a gang whose workers all live goes on where it was") {
  Worker("w1", 1);
  Worker("w2", 1);
  const Job& a = Submit("a", 2, 2);
  StartAndBreak(a);
  CHECK(PlaceNext(a) == "w1[0] w2[0]");
}

TEST_CASE_METHOD(Fixture, "a lost rank is replaced in its place") {
  Worker("w1", 1);
  Worker("w2", 1);
  Worker("w3", 1);
  const Job& a = Submit("a", 3, 3);
  StartAndBreak(a);
  Worker("w2", pb::LOST);
  CHECK(PlaceNext(a) == "");
  Worker("w4", 2);
  CHECK(PlaceNext(a) == "w1[0] w4[0] w3[0]");
}

TEST_CASE_METHOD(Fixture,
                 "an elastic gang shrinks to what it holds, and grows when there is room") {
  Worker("w1", 1);
  Worker("w2", 1);
  const Job& a = Submit("a", 1, 3);
  StartAndBreak(a);
  CHECK(PlaceNext(a) == "w1[0] w2[0]");
  Worker("w1", pb::LOST);
  CHECK(PlaceNext(a) == "w2[0]");
  Worker("w3", 4);
  CHECK(PlaceNext(a) == "w3[0] w2[0] w3[1].1");
}

TEST_CASE_METHOD(Fixture, "below its least size a gang waits") {
  Worker("w1", 2);
  Worker("w2", 2);
  const Job& a = Submit("a", 3, 4);
  StartAndBreak(a);
  Worker("w2", pb::LOST);
  CHECK(PlaceNext(a) == "");
  Worker("w3", 1);
  CHECK(PlaceNext(a) == "w1[0] w1[1].1 w3[0]");
}

TEST_CASE_METHOD(Fixture, "slots that others took on a worker that came back are lost") {
  Worker("w1", 1);
  Worker("w2", 1);
  const Job& a = Submit("a", 2, 2);
  StartAndBreak(a);
  Worker("w2", pb::LOST);
  Worker("w2", 1);
  StartAndBreak(Submit("b", 1, 1));
  CHECK(PlaceNext(a) == "");
}

TEST_CASE_METHOD(Fixture, "while a worker of the gang is absent or silent nothing is decided") {
  Worker("w1", 1);
  Worker("w2", 4);
  const Job& a = Submit("a", 1, 5);
  StartAndBreak(a);
  for (const pb::WorkerState away : {pb::ABSENT, pb::SUSPECT}) {
    Worker("w1", away);
    CHECK(PlaceNext(a) == "");
    Worker("w1", 1);
  }
  CHECK(PlaceNext(a) == "w2[0] w2[1].1 w2[2].2 w2[3].3 w1[0]");
}

TEST_CASE("placements are found by their names") {
  CHECK(FindPlacer("pack") != nullptr);
  CHECK(FindPlacer("scatter") == nullptr);
  CHECK(PlacerNames() == "pack");
  for (const Placer& placer : Placers()) CHECK(!placer.summary.empty());
}

TEST_CASE_METHOD(Fixture, "ranks on a worker that does not see the storage are placed elsewhere") {
  Worker("w1", 2);
  Worker("w2", 1);
  const Job& a = Submit("a", 2, 3);
  StartAndBreak(a);
  Apart("w2", 1);
  INFO("it shrinks, or grows on others");
  CHECK(PlaceNext(a) == "w1[0] w1[1].1");
  Worker("w3", 4);
  CHECK(PlaceNext(a) == "w1[0] w1[1].1 w3[0]");
}

TEST_CASE_METHOD(Fixture,
                 "silent workers get nothing and count, those without the storage do not") {
  Worker("w1", 2, "a");
  Worker("w2", 4, "a");
  Worker("w3", 8, "a");
  Worker("w2", pb::SUSPECT);
  Apart("w3", 8);
  for (const char* zone : {"", "a"}) {
    const Job& job = Submit(std::string("j") + zone, 3, 3, 1, zone);
    INFO("zone '" << zone << "'");
    CHECK(Place(job) == "");
    // w3 has lost its label with its new description.
    CHECK(RanksThatCouldFit(state, job.resources()) == 6);
  }
}

}  // namespace
}  // namespace rm::scheduler
