#include "scheduler/state/free_slots.h"

#include <catch2/catch.hpp>
#include <string>
#include <vector>

namespace rm::scheduler {
namespace {

Worker NewWorker(int64_t ordinal, int free) {
  Worker worker;
  worker.id = "w" + std::to_string(ordinal);
  worker.ordinal = ordinal;
  worker.state = pb::READY;
  worker.free_slots = free;
  return worker;
}

// "2: w1 w3, 4: w2".
std::string Text(const FreeSlots& free) {
  std::string text;
  for (const auto& [count, workers] : free.by_count()) {
    text += (text.empty() ? "" : ", ") + std::to_string(count) + ":";
    for (const Worker* worker : workers) text += " " + worker->id;
  }
  return text;
}

TEST_CASE("workers stand under their count of free slots, in order of attachment") {
  const Worker one = NewWorker(1, 2);
  const Worker two = NewWorker(2, 4);
  const Worker three = NewWorker(3, 2);
  FreeSlots free;
  for (const Worker* worker : {&three, &two, &one}) free.Move(*worker, -1);
  CHECK(Text(free) == "2: w1 w3, 4: w2");
  CHECK(free.total() == 8);
}

TEST_CASE("a worker moves when its count changes, and leaves no empty count behind") {
  Worker worker = NewWorker(1, 4);
  FreeSlots free;
  free.Move(worker, -1);
  worker.free_slots = 1;
  free.Move(worker, 4);
  CHECK(Text(free) == "1: w1");
  CHECK(free.total() == 1);
}

TEST_CASE("only workers that are Ready are in the index") {
  Worker worker = NewWorker(1, 4);
  FreeSlots free;
  free.Move(worker, -1);
  for (const pb::WorkerState state : {pb::SUSPECT, pb::ABSENT, pb::LOST}) {
    worker.state = state;
    free.Move(worker, worker.free_slots);
    CHECK(Text(free) == "");
    CHECK(free.total() == 0);
  }
  worker.state = pb::READY;
  free.Move(worker, worker.free_slots);
  CHECK(Text(free) == "4: w1");
}

TEST_CASE("the count of a worker that was not in the index changes nothing") {
  const Worker in = NewWorker(1, 4);
  Worker out = NewWorker(2, 4);
  out.state = pb::ABSENT;
  FreeSlots free;
  free.Move(in, -1);
  free.Move(out, 4);
  free.Move(out, 9);
  CHECK(Text(free) == "4: w1");
  CHECK(free.total() == 4);
}

TEST_CASE("a worker that does not see the storage is not in the index") {
  Worker worker = NewWorker(1, 4);
  FreeSlots free;
  free.Move(worker, -1);
  worker.storage_problem = "not mounted";
  free.Move(worker, 4);
  CHECK(Text(free) == "");
  CHECK(free.total() == 0);
  worker.storage_problem.clear();
  free.Move(worker, 4);
  CHECK(Text(free) == "4: w1");
}

}  // namespace
}  // namespace rm::scheduler
