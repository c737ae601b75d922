// A random world around a scheduler: workers, ranks and people that do what they may do next, and
// often what they may not.
#ifndef RM_TESTS_SCENARIO_RANDOM_WORLD_H_
#define RM_TESTS_SCENARIO_RANDOM_WORLD_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "base/random.h"
#include "proto/scheduler.pb.h"
#include "scheduler/state/cluster_state.h"

namespace rm::scenario {

namespace pb = ::ringmaster::v1;

// Jobs that a world submits at most; they are named j0, j1 …, its workers w0, w1 …
inline constexpr int kWorldJobsMax = 40;

// Makes events with the state before its eyes, so that most are legal, and some of any kind at
// random. The same seed and states give the same events. Not thread-safe.
class RandomWorld {
 public:
  explicit RandomWorld(uint64_t seed) : random_(seed, 1) {}

  // Up to three events of one instant.
  std::vector<pb::Event> Next(const scheduler::ClusterState& state);
  // The time until the next instant: often none or a second, now and then beyond most timers.
  absl::Duration NextPause();

 private:
  bool Chance(uint64_t percent) { return random_.NextBelow(100) < percent; }
  int Below(int bound) { return static_cast<int>(random_.NextBelow(static_cast<uint64_t>(bound))); }
  std::string AnyJob();
  std::string AnyWorker();

  pb::Event One(const scheduler::ClusterState& state);
  pb::Event NewJob();
  pb::Event OfPeople();
  pb::Event OfWorker(const scheduler::ClusterState& state);
  pb::Event OfRank(const scheduler::ClusterState& state);
  // Most of what the state believes to run on `worker`, and now and then something else.
  std::vector<pb::RankRef> Running(const scheduler::ClusterState& state, const std::string& worker);
  // What that rank would report next.
  pb::Event NextReport(const scheduler::Job& job, const scheduler::GangRank& rank);
  pb::Event AnyReport(const pb::RankRef& ref);
  pb::Event End(const pb::RankRef& ref);

  base::RandomStream random_;
  int jobs_ = 0;
};

}  // namespace rm::scenario

#endif  // RM_TESTS_SCENARIO_RANDOM_WORLD_H_
