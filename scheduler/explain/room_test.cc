#include "scheduler/explain/room.h"

#include <catch2/catch.hpp>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "scheduler/core/event_testing.h"
#include "scheduler/core/scheduler.h"

namespace rm::scheduler {
namespace {

using testing::Attach;
using testing::Submit;

pb::Event AttachIn(const std::string& worker, int slots, const std::string& zone) {
  pb::Event event = Attach(worker, slots);
  (*event.mutable_worker_attached()->mutable_labels())["zone"] = zone;
  return event;
}

pb::JobSpec Wants(int ranks, int slots = 1, const std::string& zone = "") {
  pb::JobSpec spec = Submit("x", ranks).submit().spec();
  spec.mutable_resources()->set_slots_per_rank(slots);
  if (!zone.empty()) (*spec.mutable_resources()->mutable_node_selector())["zone"] = zone;
  return spec;
}

struct Fixture {
  Fixture() : scheduler(*Scheduler::Create(SchedulerOptions())) {}
  void Step(const std::vector<pb::Event>& events) {
    scheduler->Step(events, absl::FromUnixSeconds(1000));
  }
  const ClusterState& state() { return scheduler->state(); }
  std::string Message(const pb::JobSpec& spec) {
    return std::string(CheckFeasible(state(), spec).message());
  }
  std::string EndsFor(int ranks, int slots = 1) {
    std::string text;
    for (const Job* job : EndsThatMakeRoom(state(), Wants(ranks, slots).resources(), ranks)) {
      absl::StrAppend(&text, text.empty() ? "" : " ", job->id());
    }
    return text;
  }
  std::unique_ptr<Scheduler> scheduler;
};

TEST_CASE_METHOD(Fixture, "a job that cannot fit is told by how much") {
  CHECK(Message(Wants(1)) == "1 rank × 1 slot = 1 slot, the cluster has 0");
  Step({Attach("w1", 1), Attach("w2", 1)});
  CHECK(CheckFeasible(state(), Wants(2)).ok());
  CHECK(absl::IsResourceExhausted(CheckFeasible(state(), Wants(3))));
  CHECK(Message(Wants(3)) == "3 ranks × 1 slot = 3 slots, the cluster has 2 (w1: 1, w2: 1)");
}

TEST_CASE_METHOD(Fixture, "a rank that fits no worker is told so") {
  Step({Attach("w1", 3), Attach("w2", 3)});
  CHECK(Message(Wants(1, 4)) ==
        "1 rank × 4 slots = 4 slots, the cluster has 6 (w1: 3, w2: 3), but a rank must fit one "
        "worker");
}

TEST_CASE_METHOD(Fixture, "a selector narrows the cluster to the workers that have its labels") {
  Step({AttachIn("w1", 4, "a"), AttachIn("w2", 2, "b")});
  CHECK(CheckFeasible(state(), Wants(4, 1, "a")).ok());
  CHECK(Message(Wants(3, 1, "b")) ==
        "3 ranks × 1 slot = 3 slots, the workers with zone=b have 2 (w2: 2)");
}

TEST_CASE_METHOD(Fixture, "of many workers some are named and all are counted") {
  for (int i = 10; i < 22; ++i) Step({Attach(absl::StrCat("w", i), 1)});
  CHECK(Message(Wants(13)) ==
        "13 ranks × 1 slot = 13 slots, the cluster has 12 (w10: 1, w11: 1, w12: 1, w13: 1, "
        "w14: 1, w15: 1, w16: 1, w17: 1, … 12 workers)");
}

TEST_CASE_METHOD(Fixture, "busy and absent workers count, lost ones do not") {
  Step({Attach("w1", 2), Attach("w2", 2), Submit("a", 4)});
  CHECK(CheckFeasible(state(), Wants(4)).ok());
  Step({testing::Started()});
  CHECK(CheckFeasible(state(), Wants(4)).ok());
  Step({testing::Lost("w2")});
  CHECK_FALSE(CheckFeasible(state(), Wants(4)).ok());
}

TEST_CASE_METHOD(Fixture, "slots are counted over matching workers that are Ready") {
  Step({AttachIn("w1", 3, "a"), AttachIn("w2", 2, "b"), Attach("w3", 2), Submit("a", 1)});
  const SlotCount all = CountSlots(state(), Wants(1).resources());
  CHECK(all.workers == 3);
  CHECK(all.total == 7);
  CHECK(all.free == 6);
  CHECK(CountSlots(state(), Wants(1, 1, "a").resources()).total == 3);
  Step({testing::Lost("w3")});
  CHECK(CountSlots(state(), Wants(1).resources()).workers == 2);
}

TEST_CASE_METHOD(Fixture, "the holders are listed, the largest job first") {
  Step({Attach("w1", 2), Attach("w2", 3), Submit("small", 1), Submit("large", 4)});
  std::string text;
  for (const pb::Holder& holder : Holders(state(), Wants(1).resources())) {
    absl::StrAppend(&text, holder.job_id(), " ", holder.slots(), " on ", holder.worker_id(), "; ");
  }
  CHECK(text == "large 1 on w1; large 3 on w2; small 1 on w1; ");
}

TEST_CASE_METHOD(Fixture, "the smallest job that makes room alone is named, else several") {
  Step({Attach("w1", 1), Attach("w2", 2), Attach("w3", 3), Submit("one", 1)});
  Step({Submit("two", 2)});
  Step({Submit("three", 3)});
  CHECK(EndsFor(1) == "one");
  CHECK(EndsFor(2) == "two");
  CHECK(EndsFor(3) == "three");
  CHECK(EndsFor(4) == "three two");
  CHECK(EndsFor(6) == "three two one");
  CHECK(EndsFor(7) == "");
  CHECK(EndsFor(1, 3) == "three");
  CHECK(EndsFor(2, 2) == "three two");
}

TEST_CASE_METHOD(Fixture, "room is counted in whole ranks on one worker each") {
  Step({Attach("w1", 3), Attach("w2", 3), Submit("a", 2)});
  CHECK(RoomWithout(state(), Wants(1, 2).resources(), {}) == 1);
  CHECK(RoomWithout(state(), Wants(1, 2).resources(), {state().FindJob("a")}) == 2);
  CHECK(RoomWithout(state(), Wants(1, 1).resources(), {}) == 4);
}

}  // namespace
}  // namespace rm::scheduler
