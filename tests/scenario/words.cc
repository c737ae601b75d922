#include "tests/scenario/words.h"

#include <set>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "base/status.h"
#include "base/units.h"
#include "scheduler/core/event_testing.h"

namespace rm::scenario {
namespace {

using scheduler::testing::Ref;

absl::StatusOr<int64_t> Number(const Sentence& sentence, const std::string& key,
                               int64_t otherwise) {
  if (!sentence.Has(key)) return otherwise;
  int64_t number = 0;
  if (absl::SimpleAtoi(sentence.Get(key), &number)) return number;
  return absl::InvalidArgumentError(absl::StrCat(key, "=", sentence.Get(key), ": not a number"));
}

absl::StatusOr<int32_t> Small(const Sentence& sentence, const std::string& key, int otherwise) {
  RM_ASSIGN_OR_RETURN(const int64_t number, Number(sentence, key, otherwise));
  return static_cast<int32_t>(number);
}

absl::StatusOr<double> Seconds(const Sentence& sentence, const std::string& key, double otherwise) {
  if (!sentence.Has(key)) return otherwise;
  RM_ASSIGN_OR_RETURN(const absl::Duration duration, base::ParseDuration(sentence.Get(key)));
  return absl::ToDoubleSeconds(duration);
}

// "a/1/0": rank 0 of generation 1 of job a.
absl::StatusOr<pb::RankRef> ParseRank(absl::string_view text) {
  const std::vector<std::string> parts = absl::StrSplit(text, '/');
  int64_t generation = 0;
  int rank = 0;
  if (parts.size() == 3 && absl::SimpleAtoi(parts[1], &generation) &&
      absl::SimpleAtoi(parts[2], &rank)) {
    return Ref(parts[0], generation, rank);
  }
  return absl::InvalidArgumentError(absl::StrCat("'", text, "' is not job/generation/rank"));
}

// "zone:a,disk:ssd".
template <typename Map>
void ParseLabels(const std::string& text, Map& labels) {
  for (const absl::string_view label : absl::StrSplit(text, ',', absl::SkipEmpty())) {
    const std::pair<std::string, std::string> pair = absl::StrSplit(label, absl::MaxSplits(':', 1));
    labels[pair.first] = pair.second;
  }
}

// "Code: a sentence", or a sentence alone.
void ParseReason(const std::string& text, pb::Reason& reason) {
  const std::vector<std::string> parts = absl::StrSplit(text, absl::MaxSplits(": ", 1));
  if (parts.size() == 2) reason.set_code(parts[0]);
  reason.set_sentence(parts.back());
}

absl::Status ParseResources(const Sentence& sentence, pb::ResourceSpec& resources) {
  const std::vector<std::string> ranks =
      absl::StrSplit(sentence.Get("ranks", "1"), absl::MaxSplits("..", 1));
  int32_t least = 0;
  int32_t most = 0;
  if (!absl::SimpleAtoi(ranks.front(), &least) || !absl::SimpleAtoi(ranks.back(), &most)) {
    return absl::InvalidArgumentError("ranks=N or ranks=MIN..MAX");
  }
  resources.set_ranks_min(least);
  resources.set_ranks_max(most);
  RM_ASSIGN_OR_RETURN(const int32_t slots, Small(sentence, "slots", 1));
  resources.set_slots_per_rank(slots);
  resources.set_placement(sentence.Get("placement"));
  ParseLabels(sentence.Get("selector"), *resources.mutable_node_selector());
  return absl::OkStatus();
}

absl::Status ParseScheduling(const Sentence& sentence, pb::SchedulingSpec& scheduling) {
  RM_ASSIGN_OR_RETURN(const int32_t priority, Small(sentence, "priority", 50));
  RM_ASSIGN_OR_RETURN(const int32_t restarts, Small(sentence, "max_restarts", 5));
  RM_ASSIGN_OR_RETURN(const double limit, Seconds(sentence, "time_limit", 0));
  RM_ASSIGN_OR_RETURN(const double queue, Seconds(sentence, "queue_timeout", 0));
  RM_ASSIGN_OR_RETURN(const double grace, Seconds(sentence, "grace_period", 30));
  RM_ASSIGN_OR_RETURN(const double recovery, Seconds(sentence, "recovery_grace", 300));
  scheduling.set_priority(priority);
  scheduling.set_max_restarts(restarts);
  scheduling.set_time_limit(limit);
  scheduling.set_queue_timeout(queue);
  scheduling.set_grace_period(grace);
  scheduling.set_recovery_grace(recovery);
  return absl::OkStatus();
}

using Events = std::vector<pb::Event>;

absl::StatusOr<Events> Submit(const Sentence& sentence) {
  pb::Event event = scheduler::testing::Submit(sentence.noun, 1);
  pb::JobSpec& spec = *event.mutable_submit()->mutable_spec();
  event.mutable_submit()->set_preflight_pending(sentence.Has("preflight"));
  RM_RETURN_IF_ERROR(ParseResources(sentence, *spec.mutable_resources()));
  RM_RETURN_IF_ERROR(ParseScheduling(sentence, *spec.mutable_scheduling()));
  return Events{event};
}

absl::StatusOr<Events> Attach(const Sentence& sentence) {
  RM_ASSIGN_OR_RETURN(const int32_t slots, Small(sentence, "slots", 1));
  pb::Event event = scheduler::testing::Attach(sentence.noun, slots);
  pb::WorkerAttached& attached = *event.mutable_worker_attached();
  attached.set_storage_problem(sentence.Get("storage"));
  ParseLabels(sentence.Get("labels"), *attached.mutable_labels());
  for (const absl::string_view rank :
       absl::StrSplit(sentence.Get("running"), ',', absl::SkipEmpty())) {
    RM_ASSIGN_OR_RETURN(*attached.add_running(), ParseRank(rank));
  }
  return Events{event};
}

absl::StatusOr<Events> Lost(const Sentence& sentence) {
  pb::Event event = scheduler::testing::Lost(sentence.noun);
  ParseReason(sentence.Get("cause"), *event.mutable_worker_lost()->mutable_cause());
  return Events{event};
}

absl::StatusOr<Events> Silent(const Sentence& sentence) {
  pb::Event event = scheduler::testing::Silent(sentence.noun);
  if (sentence.Has("cause")) {
    ParseReason(sentence.Get("cause"), *event.mutable_worker_silent()->mutable_cause());
  }
  return Events{event};
}

absl::StatusOr<Events> Verdict(const Sentence& sentence) {
  const std::vector<std::string> errors =
      absl::StrSplit(sentence.Get("errors"), '|', absl::SkipEmpty());
  return Events{scheduler::testing::Verdict(sentence.noun, errors)};
}

// One rank ("a/1/0"), or every rank of the present generation of a job ("a").
absl::StatusOr<std::vector<pb::RankRef>> RanksOf(const Sentence& sentence,
                                                 const scheduler::ClusterState& state) {
  if (absl::StrContains(sentence.noun, '/')) {
    RM_ASSIGN_OR_RETURN(const pb::RankRef rank, ParseRank(sentence.noun));
    return std::vector<pb::RankRef>{rank};
  }
  const scheduler::Job* job = state.FindJob(sentence.noun);
  if (job == nullptr) return absl::InvalidArgumentError("there is no such job");
  std::vector<pb::RankRef> ranks;
  for (int rank = 0; rank < job->world_size(); ++rank) {
    ranks.push_back(Ref(job->id(), job->generation, rank));
  }
  return ranks;
}

// Without a cause: code and sentence are for the core to find.
pb::Event Hung(const Sentence& sentence, const pb::RankRef& rank, int64_t step) {
  pb::Event event = scheduler::testing::Hung(rank, step, "");
  pb::Reason& cause = *event.mutable_rank_hung()->mutable_cause();
  if (sentence.Has("cause")) ParseReason(sentence.Get("cause"), cause);
  return event;
}

pb::Event Notice(const Sentence& sentence, const pb::RankRef& rank, int64_t step) {
  pb::Event event = scheduler::testing::NoticeOf(rank, "");
  event.mutable_rank_notice()->set_step(step);
  pb::Reason& notice = *event.mutable_rank_notice()->mutable_notice();
  ParseReason(sentence.Get("says"), notice);
  return event;
}

absl::StatusOr<pb::Event> RankEvent(const Sentence& sentence, const pb::RankRef& rank) {
  RM_ASSIGN_OR_RETURN(const int64_t step, Number(sentence, "step", 0));
  if (sentence.verb == "listen") return scheduler::testing::Listening(rank);
  if (sentence.verb == "join") return scheduler::testing::Joined(rank, step);
  if (sentence.verb == "checkpoint") return scheduler::testing::Checkpoint(rank, step);
  if (sentence.verb == "done") return scheduler::testing::Done(rank, step);
  if (sentence.verb == "refuse") return scheduler::testing::Refused(rank);
  if (sentence.verb == "hung") return Hung(sentence, rank, step);
  if (sentence.verb == "notice") return Notice(sentence, rank, step);
  RM_ASSIGN_OR_RETURN(const int32_t code, Small(sentence, "code", 0));
  RM_ASSIGN_OR_RETURN(const int32_t signal, Small(sentence, "signal", 0));
  pb::Event event = scheduler::testing::Exited(rank, code, step);
  pb::RankExited& exited = *event.mutable_rank_exited();
  exited.set_signal(signal);
  if (sentence.Has("cause")) ParseReason(sentence.Get("cause"), *exited.mutable_cause());
  exited.set_last_log_lines(sentence.Get("log"));
  return event;
}

absl::StatusOr<Events> RankEvents(const Sentence& sentence, const scheduler::ClusterState& state) {
  RM_ASSIGN_OR_RETURN(const std::vector<pb::RankRef> ranks, RanksOf(sentence, state));
  Events events;
  for (const pb::RankRef& rank : ranks) {
    RM_ASSIGN_OR_RETURN(pb::Event event, RankEvent(sentence, rank));
    event.set_reported_by(sentence.Get("by"));
    events.push_back(std::move(event));
  }
  return events;
}

}  // namespace

std::string Sentence::Get(const std::string& key, const std::string& otherwise) const {
  const auto found = with.find(key);
  return found == with.end() ? otherwise : found->second;
}

absl::StatusOr<Sentence> ParseSentence(absl::string_view line) {
  std::vector<std::string> words(1);
  bool quoted = false;
  for (const char c : line) {
    if (c == '"') {
      quoted = !quoted;
    } else if (c == ' ' && !quoted) {
      words.emplace_back();
    } else {
      words.back().push_back(c);
    }
  }
  if (quoted) return absl::InvalidArgumentError("a quote is not closed");
  Sentence sentence;
  sentence.verb = words[0];
  for (size_t i = 1; i < words.size(); ++i) {
    const std::pair<std::string, std::string> pair =
        absl::StrSplit(words[i], absl::MaxSplits('=', 1));
    if (i == 1 && !absl::StrContains(words[i], '=')) {
      sentence.noun = words[i];
    } else {
      sentence.with[pair.first] = pair.second;
    }
  }
  return sentence;
}

absl::StatusOr<std::vector<pb::Event>> ParseEvents(const Sentence& sentence,
                                                   const scheduler::ClusterState& state) {
  static const std::set<std::string> kRankVerbs = {"listen",     "join", "exit", "refuse",
                                                   "checkpoint", "done", "hung", "notice"};
  const std::string& verb = sentence.verb;
  if (kRankVerbs.count(verb) > 0) return RankEvents(sentence, state);
  if (verb == "submit") return Submit(sentence);
  if (verb == "attach") return Attach(sentence);
  if (verb == "lost") return Lost(sentence);
  if (verb == "silent") return Silent(sentence);
  if (verb == "heard") return Events{scheduler::testing::Heard(sentence.noun)};
  if (verb == "verdict") return Verdict(sentence);
  if (verb == "cancel") return Events{scheduler::testing::Cancel(sentence.noun)};
  if (verb == "kill") return Events{scheduler::testing::Kill(sentence.noun)};
  if (verb == "pause") return Events{scheduler::testing::Pause(sentence.noun)};
  if (verb == "resume") return Events{scheduler::testing::Resume(sentence.noun)};
  if (verb == "started") return Events{scheduler::testing::Started()};
  if (verb == "tick") return Events{scheduler::testing::Tick()};
  if (verb == "nothing") return Events{pb::Event()};
  return absl::InvalidArgumentError(absl::StrCat("there is no word '", verb, "'"));
}

absl::StatusOr<scheduler::SchedulerOptions> ParseOptions(const Sentence& sentence) {
  scheduler::SchedulerOptions options;
  options.policy = sentence.Get("policy", options.policy);
  RM_ASSIGN_OR_RETURN(const double adopt, Seconds(sentence, "adopt_window", 30));
  RM_ASSIGN_OR_RETURN(const double cause, Seconds(sentence, "cause_window", 2));
  RM_ASSIGN_OR_RETURN(const double leave, Seconds(sentence, "leave_window", 30));
  options.adopt_window = absl::Seconds(adopt);
  options.cause_window = absl::Seconds(cause);
  options.leave_window = absl::Seconds(leave);
  RM_ASSIGN_OR_RETURN(options.retention.ended_jobs, Number(sentence, "ended_jobs", 1000));
  RM_ASSIGN_OR_RETURN(options.retention.lost_workers, Number(sentence, "lost_workers", 1000));
  return options;
}

}  // namespace rm::scenario
