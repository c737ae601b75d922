// Commands that mean one of a job's checkpoints read it from here, so that they all mean the same one.
#include "tools/trainctl/checkpoint_choice.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "base/status.h"

namespace rm::trainctl {
namespace {

namespace pb = ::ringmaster::v1;

// A metric to go by, and which end of it is good.
struct Measure {
  std::string metric;
  bool highest = true;
};

// In the order of preference.
std::vector<Measure> MeasuresOf(const pb::CheckpointSpec& spec) {
  if (!spec.keep_metric().empty()) return {{spec.keep_metric(), spec.keep_mode() != "min"}};
  return {{"validation/accuracy", true}, {"validation/loss", false}};
}

// The best by one metric, nullptr when no checkpoint has it. They come newest first, so that a later
// one has to be better to win.
const pb::CheckpointInfo* BestBy(const Measure& measure, const pb::ListCheckpointsReply& reply) {
  const pb::CheckpointInfo* best = nullptr;
  double best_value = 0;
  for (const pb::CheckpointInfo& info : reply.checkpoints()) {
    const auto found = info.metrics().find(measure.metric);
    if (!info.counts() || found == info.metrics().end()) continue;
    if (!std::isfinite(found->second)) continue;  // nothing compares with it: it would win
    const double value = found->second;
    const bool better = measure.highest ? value > best_value : value < best_value;
    if (best != nullptr && !better) continue;
    best = &info;
    best_value = value;
  }
  return best;
}

}  // namespace

// An '@' is in no job's id, so the first one ends it.
absl::StatusOr<CheckpointChoice> ParseCheckpointChoice(absl::string_view word) {
  CheckpointChoice choice;
  const size_t at = word.find('@');
  choice.job = std::string(word.substr(0, at));
  if (at == absl::string_view::npos) return choice;
  const absl::string_view which = word.substr(at);
  if (which == "@latest") return choice;
  choice.best = which == "@best";
  if (choice.best) return choice;
  if (absl::SimpleAtoi(which.substr(1), &choice.step) && choice.step > 0) return choice;
  return absl::InvalidArgumentError(
      absl::StrCat("'", which, "' is not @latest, @best or @STEP"));
}

// No checkpoint at all and none that can be compared are two errors: the first one goes away by itself
// when the job has trained for a while.
absl::StatusOr<int64_t> StepOfBest(const pb::ListCheckpointsReply& reply,
                                   const pb::CheckpointSpec& spec) {
  std::string names;
  for (const Measure& measure : MeasuresOf(spec)) {
    const pb::CheckpointInfo* best = BestBy(measure, reply);
    if (best != nullptr) return best->step();
    absl::StrAppend(&names, names.empty() ? "" : " or ", measure.metric);
  }
  const bool any = std::any_of(reply.checkpoints().begin(), reply.checkpoints().end(),
                               [](const pb::CheckpointInfo& info) { return info.counts(); });
  if (!any) return absl::NotFoundError("the job has no checkpoint yet");
  return absl::FailedPreconditionError(absl::StrCat(
      "no checkpoint of the job has ", names,
      ": give the job validation data, or take @latest or @STEP ('trainctl checkpoint ls JOB')"));
}

// The job is asked for first: what best means to it stands in its spec.
absl::StatusOr<int64_t> FindStep(client::Client& client, const CheckpointChoice& choice) {
  if (!choice.best) return choice.step;
  RM_ASSIGN_OR_RETURN(const pb::Job job, client.Get(choice.job));
  RM_ASSIGN_OR_RETURN(const pb::ListCheckpointsReply reply,
                      client.ListCheckpoints(job.job_id()));
  return StepOfBest(reply, job.spec().checkpoint());
}

}  // namespace rm::trainctl
