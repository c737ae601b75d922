// One line of a script as an event. The words are listed in README.md beside the scripts.
#ifndef RM_TESTS_SCENARIO_WORDS_H_
#define RM_TESTS_SCENARIO_WORDS_H_

#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "proto/scheduler.pb.h"
#include "scheduler/core/options.h"
#include "scheduler/state/cluster_state.h"

namespace rm::scenario {

namespace pb = ::ringmaster::v1;

// "verb noun key=value key="a value with spaces" flag": `verb`, `noun`, and what follows by key.
struct Sentence {
  std::string verb;
  std::string noun;
  std::map<std::string, std::string> with;

  // The value of `key`, or `otherwise`.
  std::string Get(const std::string& key, const std::string& otherwise = "") const;
  bool Has(const std::string& key) const { return with.count(key) > 0; }
};

// InvalidArgument: a quote is not closed.
absl::StatusOr<Sentence> ParseSentence(absl::string_view line);

// The events of one line, most often one. `state` is where "listen" and "join" of a whole gang find
// its ranks.
absl::StatusOr<std::vector<pb::Event>> ParseEvents(const Sentence& sentence,
                                                   const scheduler::ClusterState& state);

// The line "options policy=fifo adopt_window=10s".
absl::StatusOr<scheduler::SchedulerOptions> ParseOptions(const Sentence& sentence);

}  // namespace rm::scenario

#endif  // RM_TESTS_SCENARIO_WORDS_H_
