#include "tests/scenario/print.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "scheduler/state/job_state.h"

namespace rm::scenario {
namespace {

using scheduler::StateName;
using scheduler::WorkerStateName;

std::string Text(const pb::Reason& reason) {
  return absl::StrCat(reason.code(), ": ", reason.sentence());
}

std::string Ref(const pb::RankRef& rank) {
  return absl::StrCat(rank.job_id(), "/", rank.generation(), "/", rank.rank());
}

// "0 on w1[0,1], 1 on w2[0]".
template <typename Placements>
std::string Gang(const Placements& placements) {
  return absl::StrJoin(placements, ", ", [](std::string* out, const pb::Placement& placement) {
    absl::StrAppend(out, placement.rank(), " on ", placement.worker_id(), "[",
                    absl::StrJoin(placement.slots(), ","), "]");
    if (placement.local_rank() > 0) absl::StrAppend(out, " local ", placement.local_rank());
  });
}

std::string JobLine(const pb::JobTransition& transition) {
  if (transition.notice()) {
    return absl::StrCat("notice of job ", transition.job_id(), " ", StateName(transition.to()),
                        " g", transition.generation(), " | ", Text(transition.reason()));
  }
  std::string line = absl::StrCat("job ", transition.job_id(), " ", StateName(transition.from()),
                                  " -> ", StateName(transition.to()));
  if (transition.to() == pb::STOPPING) {
    absl::StrAppend(&line, " to ", StateName(transition.stop_target()));
  }
  if (transition.gang_phase() != pb::GANG_PHASE_UNSPECIFIED) {
    absl::StrAppend(&line, " ", pb::GangPhase_Name(transition.gang_phase()));
  }
  absl::StrAppend(&line, " g", transition.generation());
  if (transition.restarts() > 0) absl::StrAppend(&line, " restarts ", transition.restarts());
  return absl::StrCat(line, " | ", Text(transition.reason()));
}

std::string WorkerLine(const pb::WorkerTransition& transition) {
  return absl::StrCat("worker ", transition.worker_id(), " ", WorkerStateName(transition.from()),
                      " -> ", WorkerStateName(transition.to()), " | ", Text(transition.reason()));
}

std::string ActionLine(const pb::Action& action) {
  switch (action.action_case()) {
    case pb::Action::kStartGang:
      return absl::StrCat("do StartGang ", action.start_gang().job_id(), " g",
                          action.start_gang().generation(), ": ",
                          Gang(action.start_gang().placement()));
    case pb::Action::kStartGeneration:
      return absl::StrCat("do StartGeneration ", action.start_generation().job_id(), " g",
                          action.start_generation().generation(), ": ",
                          absl::StrJoin(action.start_generation().peers(), ", "));
    case pb::Action::kStopGang:
      return absl::StrCat("do StopGang ", action.stop_gang().job_id(), " g",
                          action.stop_gang().generation(), ": grace ",
                          action.stop_gang().grace_seconds(), " s",
                          action.stop_gang().checkpoint() ? ", with a checkpoint" : "");
    case pb::Action::kStopRank:
      return absl::StrCat("do StopRank ", Ref(action.stop_rank().rank()), " on ",
                          action.stop_rank().worker_id(),
                          action.stop_rank().dump_stack() ? " with its stacks" : "", " | ",
                          Text(action.stop_rank().reason()));
    case pb::Action::kRunPreflight:
      return absl::StrCat("do RunPreflight ", action.run_preflight().job_id());
    case pb::Action::ACTION_NOT_SET: return "do nothing";
  }
  return "";
}

}  // namespace

std::vector<std::string> PrintRecord(const pb::JournalRecord& record) {
  std::vector<std::string> lines;
  for (const pb::Refusal& refusal : record.refusals()) {
    lines.push_back(
        absl::StrCat("refused event ", refusal.event_index(), " | ", Text(refusal.reason())));
  }
  for (const auto& transition : record.worker_transitions()) {
    lines.push_back(WorkerLine(transition));
  }
  for (const auto& transition : record.job_transitions()) lines.push_back(JobLine(transition));
  for (const pb::Action& action : record.actions()) lines.push_back(ActionLine(action));
  return lines;
}

std::vector<std::string> PrintExplanation(const pb::Explanation& explanation) {
  std::vector<std::string> lines = {Text(explanation.reason())};
  for (const std::string& detail : explanation.details()) lines.push_back("- " + detail);
  for (const pb::Holder& holder : explanation.holders()) {
    lines.push_back(absl::StrCat("held: ", holder.slots(), " on ", holder.worker_id(), " by ",
                                 holder.job_id()));
  }
  return lines;
}

std::string PrintWakeUp(absl::Time wake_up, absl::Time start) {
  if (wake_up == absl::InfiniteFuture()) return "wake never";
  return absl::StrCat("wake ", absl::FormatDuration(wake_up - start));
}

}  // namespace rm::scenario
