// A golden script: blocks of input, each with the output it must give (the format is in README.md
// beside the scripts).
#ifndef RM_TESTS_SCENARIO_SCRIPT_H_
#define RM_TESTS_SCENARIO_SCRIPT_H_

#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "proto/scheduler.pb.h"

namespace rm::scenario {

namespace pb = ::ringmaster::v1;

// One block: comments, the input up to "----", and the output up to an empty line.
struct Block {
  int line = 0;  // of its first input line, from 1
  std::vector<std::string> comments;
  std::vector<std::string> input;
  std::vector<std::string> output;
};

// InvalidArgument: a block without input or without "----", by its line.
absl::StatusOr<std::vector<Block>> ParseScript(absl::string_view text);

// The text that ParseScript reads as `blocks`.
std::string PrintScript(const std::vector<Block>& blocks);

// What a replay has seen of the scheduler.
struct Coverage {
  std::set<std::pair<pb::JobState, pb::JobState>> arrows;
  std::set<std::pair<pb::WorkerState, pb::WorkerState>> worker_arrows;
  std::set<std::string> refusals;
};

// Runs the input of every block on a scheduler, and gives the blocks with what it really put out.
// Every record is also folded into a second scheduler, whose state must stay the same.
// InvalidArgument: an input line is wrong; Internal: the states differ; each with the line of the
// block.
absl::StatusOr<std::vector<Block>> Replay(const std::vector<Block>& blocks, Coverage& coverage);

}  // namespace rm::scenario

#endif  // RM_TESTS_SCENARIO_SCRIPT_H_
