#include "tests/scenario/script.h"

#include <memory>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/time/time.h"
#include "base/status.h"
#include "base/units.h"
#include "scheduler/core/scheduler.h"
#include "scheduler/explain/explain.h"
#include "scheduler/state/dump.h"
#include "tests/scenario/print.h"
#include "tests/scenario/words.h"

namespace rm::scenario {
namespace {

constexpr absl::string_view kRule = "----";

absl::Time StartOfScripts() { return absl::FromUnixSeconds(1'800'000'000); }

// One script on its way through the scheduler.
class Stage {
 public:
  explicit Stage(Coverage& coverage) : coverage_(coverage) {}

  absl::StatusOr<std::vector<std::string>> Run(const Block& block) {
    RM_ASSIGN_OR_RETURN(const Sentence first, ParseSentence(block.input.front()));
    if (first.verb == "options") return SetOptions(first);
    if (live_ == nullptr) RM_RETURN_IF_ERROR(Open());
    if (first.verb == "at") return Step(first, block);
    if (first.verb == "explain") {
      return PrintExplanation(
          scheduler::Explain(live_->state(), first.noun, live_->state().now(), options_));
    }
    if (first.verb == "restart") return Restart();
    return absl::InvalidArgumentError(absl::StrCat(
        "a block begins with options, at, explain or restart, not with '", first.verb, "'"));
  }

 private:
  absl::StatusOr<std::vector<std::string>> SetOptions(const Sentence& sentence) {
    if (live_ != nullptr) return absl::InvalidArgumentError("options come first");
    RM_ASSIGN_OR_RETURN(options_, ParseOptions(sentence));
    return std::vector<std::string>();
  }

  absl::Status Open() {
    RM_ASSIGN_OR_RETURN(live_, scheduler::Scheduler::Create(options_));
    RM_ASSIGN_OR_RETURN(folded_, scheduler::Scheduler::Create(options_));
    return absl::OkStatus();
  }

  absl::StatusOr<std::vector<std::string>> Step(const Sentence& at, const Block& block) {
    RM_ASSIGN_OR_RETURN(const absl::Duration since, base::ParseDuration(at.noun));
    std::vector<pb::Event> events;
    for (size_t i = 1; i < block.input.size(); ++i) {
      RM_ASSIGN_OR_RETURN(const Sentence sentence, ParseSentence(block.input[i]));
      RM_ASSIGN_OR_RETURN(const auto more, ParseEvents(sentence, live_->state()));
      events.insert(events.end(), more.begin(), more.end());
    }
    const scheduler::StepResult result = live_->Step(events, StartOfScripts() + since);
    RM_RETURN_IF_ERROR(Follow(result.record));
    std::vector<std::string> lines = PrintRecord(result.record);
    lines.push_back(PrintWakeUp(result.next_wake_up, StartOfScripts()));
    return lines;
  }

  // The record through bytes, as the journal keeps it, into the second scheduler.
  absl::Status Follow(const pb::JournalRecord& record) {
    pb::JournalRecord read;
    if (!read.ParseFromString(record.SerializeAsString())) {
      return absl::InternalError("the record cannot be read back");
    }
    RM_RETURN_IF_ERROR(folded_->Fold(read));
    for (const auto& transition : record.job_transitions()) {
      if (transition.notice()) continue;
      coverage_.arrows.insert({transition.from(), transition.to()});
    }
    for (const auto& transition : record.worker_transitions()) {
      coverage_.worker_arrows.insert({transition.from(), transition.to()});
    }
    for (const auto& refusal : record.refusals()) {
      coverage_.refusals.insert(refusal.reason().code());
    }
    const std::string live = scheduler::Dump(live_->state());
    const std::string folded = scheduler::Dump(folded_->state());
    if (live == folded) return absl::OkStatus();
    return absl::InternalError(absl::StrCat("the folded state differs:\n", folded, "from\n", live));
  }

  // The coordinator is gone and comes back with what its journal says.
  absl::StatusOr<std::vector<std::string>> Restart() {
    live_.swap(folded_);
    return std::vector<std::string>{PrintWakeUp(live_->next_wake_up(), StartOfScripts())};
  }

  Coverage& coverage_;
  scheduler::SchedulerOptions options_;
  std::unique_ptr<scheduler::Scheduler> live_;
  std::unique_ptr<scheduler::Scheduler> folded_;
};

// Reads a block from `lines`, beginning at `next`, which moves behind it.
absl::StatusOr<Block> ParseBlock(const std::vector<std::string>& lines, size_t& next) {
  Block block;
  for (; next < lines.size() && absl::StartsWith(lines[next], "#"); ++next) {
    block.comments.push_back(lines[next]);
  }
  block.line = static_cast<int>(next) + 1;
  for (; next < lines.size() && lines[next] != kRule; ++next) {
    if (lines[next].empty()) break;
    block.input.push_back(lines[next]);
  }
  const bool has_rule = next < lines.size() && lines[next] == kRule;
  if (!has_rule || block.input.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat("line ", block.line, ": a block is input lines, then ", kRule));
  }
  for (++next; next < lines.size() && !lines[next].empty(); ++next) {
    block.output.push_back(lines[next]);
  }
  return block;
}

}  // namespace

absl::StatusOr<std::vector<Block>> ParseScript(absl::string_view text) {
  const std::vector<std::string> lines = absl::StrSplit(text, '\n');
  std::vector<Block> blocks;
  for (size_t next = 0; next < lines.size();) {
    if (lines[next].empty()) {
      ++next;
      continue;
    }
    RM_ASSIGN_OR_RETURN(Block block, ParseBlock(lines, next));
    blocks.push_back(std::move(block));
  }
  return blocks;
}

std::string PrintScript(const std::vector<Block>& blocks) {
  std::vector<std::string> parts;
  for (const Block& block : blocks) {
    std::vector<std::string> lines = block.comments;
    lines.insert(lines.end(), block.input.begin(), block.input.end());
    lines.emplace_back(kRule);
    lines.insert(lines.end(), block.output.begin(), block.output.end());
    parts.push_back(absl::StrCat(absl::StrJoin(lines, "\n"), "\n"));
  }
  return absl::StrJoin(parts, "\n");
}

absl::StatusOr<std::vector<Block>> Replay(const std::vector<Block>& blocks, Coverage& coverage) {
  Stage stage(coverage);
  std::vector<Block> played = blocks;
  for (Block& block : played) {
    absl::StatusOr<std::vector<std::string>> output = stage.Run(block);
    if (!output.ok()) {
      return base::Annotate(output.status(), absl::StrCat("line ", block.line));
    }
    block.output = *std::move(output);
  }
  return played;
}

}  // namespace rm::scenario
