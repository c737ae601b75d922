#include "scheduler/placement/pack.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <functional>
#include <string>
#include <vector>

#include "base/random.h"

namespace rm::scheduler {
namespace {

// Workers w1, w2 … with these counts of free slots.
class Cluster {
 public:
  explicit Cluster(const std::vector<int>& free) : workers_(free.size()) {
    for (size_t i = 0; i < free.size(); ++i) {
      workers_[i].id = "w" + std::to_string(i + 1);
      workers_[i].ordinal = static_cast<int64_t>(i + 1);
      workers_[i].state = pb::READY;
      workers_[i].free_slots = free[i];
      index_.Move(workers_[i], -1);
    }
  }
  const FreeSlots& index() const { return index_; }

 private:
  std::vector<Worker> workers_;
  FreeSlots index_;
};

// "w2:3 w1:1"; "-" when there is no place.
std::string Text(const std::vector<WorkerShare>& shares) {
  if (shares.empty()) return "-";
  std::string text;
  for (const WorkerShare& share : shares) {
    text += (text.empty() ? "" : " ") + share.worker->id + ":" + std::to_string(share.ranks);
  }
  return text;
}

TEST_CASE("a gang goes onto few workers, and of those onto the fullest") {
  struct Row {
    std::string what;
    std::vector<int> free;
    GangRequest request;
    std::string shares;
  };
  const Row kRows[] = {
      {"the worker it fills best", {4, 2, 3}, {2, 2, 1}, "w2:2"},
      {"the first of equal ones", {4, 2, 2}, {2, 2, 1}, "w2:2"},
      {"one worker rather than two", {1, 1, 3}, {2, 2, 1}, "w3:2"},
      {"the largest first, the rest where it fits best", {4, 1, 2}, {5, 5, 1}, "w1:4 w2:1"},
      {"all of them", {1, 2, 3}, {6, 6, 1}, "w3:3 w2:2 w1:1"},
      {"all or none", {1, 2, 3}, {7, 7, 1}, "-"},
      {"as large as it fits", {1, 2, 3}, {2, 7, 1}, "w3:3 w2:2 w1:1"},
      {"no larger than it may be", {8}, {1, 3, 1}, "w1:3"},
      {"a rank does not span workers", {3, 3, 3}, {1, 9, 4}, "-"},
      {"slots that hold no whole rank are left", {7, 5}, {3, 3, 2}, "w1:3"},
      {"of equal room the fewest free slots", {7, 6}, {3, 3, 2}, "w2:3"},
      {"of equal room the fewest free slots, twice", {7, 6, 7}, {6, 6, 2}, "w2:3 w1:3"},
      {"no workers", {}, {1, 1, 1}, "-"},
      {"no free slots", {0, 0}, {1, 1, 1}, "-"},
  };
  for (const Row& row : kRows) {
    INFO(row.what);
    const Cluster cluster(row.free);
    CHECK(Text(Pack(cluster.index(), row.request)) == row.shares);
  }
}

// ---- against the slow and obvious version ---------------------------------------------------

// The fewest workers with these rooms that hold `ranks`: the largest ones.
size_t FewestWorkers(std::vector<int64_t> rooms, int64_t ranks) {
  std::sort(rooms.begin(), rooms.end(), std::greater<>());
  size_t workers = 0;
  for (int64_t held = 0; held < ranks; ++workers) held += rooms[workers];
  return workers;
}

TEST_CASE("on random clusters a gang is as large as it fits and on the fewest workers") {
  base::RandomStream random(7, 1);
  for (int round = 0; round < 3000; ++round) {
    std::vector<int> free(random.NextBelow(12));
    for (int& slots : free) slots = static_cast<int>(random.NextBelow(9));
    const int64_t max = 1 + static_cast<int64_t>(random.NextBelow(20));
    const int64_t min = 1 + static_cast<int64_t>(random.NextBelow(static_cast<uint64_t>(max)));
    const GangRequest request = {min, max, 1 + static_cast<int64_t>(random.NextBelow(4))};
    const Cluster cluster(free);
    const std::vector<WorkerShare> shares = Pack(cluster.index(), request);
    INFO("round " << round << ": " << Text(shares));

    std::vector<int64_t> rooms;
    int64_t room = 0;
    for (const int slots : free) {
      rooms.push_back(slots / request.slots_per_rank);
      room += rooms.back();
    }
    const int64_t expected = room < min ? 0 : std::min(room, max);
    int64_t placed = 0;
    std::vector<const Worker*> used;
    for (const WorkerShare& share : shares) {
      placed += share.ranks;
      used.push_back(share.worker);
      REQUIRE(share.ranks > 0);
      REQUIRE(share.ranks * request.slots_per_rank <= share.worker->free_slots);
    }
    REQUIRE(placed == expected);
    REQUIRE(shares.size() == FewestWorkers(rooms, expected));
    std::sort(used.begin(), used.end());
    REQUIRE(std::adjacent_find(used.begin(), used.end()) == used.end());
  }
}

}  // namespace
}  // namespace rm::scheduler
