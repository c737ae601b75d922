// The judgement is made of what each rank said last, and for how long it has said nothing else. No
// rank is asked anything: one that hangs would not answer, and an answer would prove nothing, since
// reports come from a thread of their own.
//
// Numbers of collectives are comparable between ranks because all of them enter the same ones in
// the same order, from the moment their communicator was made; with a new generation there is a new
// communicator, and the counts begin anew.
#include "runtime/coordinator/hang_watch.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include "base/units.h"
#include "scheduler/core/reasons.h"

namespace rm::coordinator {
namespace {

namespace pb = ::ringmaster::v1;

using scheduler::ClusterState;
using scheduler::Job;
using scheduler::RankPhase;

// More ranks than that are counted, not named.
constexpr size_t kRanksNamed = 4;

// Several may be under way at once (a bucket is reduced while the next one is still computed); a
// rank that has left all it entered waits for nobody.
bool InCollective(const pb::Activity& activity) { return activity.entered() > activity.left(); }

// Where nothing can be said about how long it takes; see rule 2.
bool IsPreparing(absl::string_view doing) {
  return doing == "loading" || doing == "compiling" || doing == "first step";
}

// Bounded work without steps or collectives, on which the peers wait: a large validation set or a
// slow disk must not cost a restart.
bool IsPatient(absl::string_view doing) { return doing == "evaluation" || doing == "checkpoint"; }

// "rank 1 of job a on host h1 (worker w1), rank 2 … and 3 more".
std::string NameAll(const ClusterState& state, const Job& job, const std::vector<int32_t>& ranks) {
  std::vector<std::string> names;
  for (size_t i = 0; i < std::min(ranks.size(), kRanksNamed); ++i) {
    names.push_back(scheduler::RankName(state, job, ranks[i]));
  }
  const size_t more = ranks.size() - names.size();
  return absl::StrCat(absl::StrJoin(names, ", "),
                      more == 0 ? "" : absl::StrCat(" and ", more, " more"));
}

// "after step 57, doing: step": in every sentence, since both are the first questions.
std::string DoingText(const pb::Activity& activity) {
  return absl::StrCat("after step ", activity.step(),
                      activity.doing().empty() ? "" : absl::StrCat(", doing: ", activity.doing()));
}

// What the scheduler is told. The rank is the one whose stacks will be asked for.
pb::Event Hung(const Job& job, int32_t rank, int64_t step, absl::string_view code,
               std::string sentence) {
  pb::Event event;
  pb::RankHung& hung = *event.mutable_rank_hung();
  hung.mutable_rank()->set_job_id(job.id());
  hung.mutable_rank()->set_generation(job.generation);
  hung.mutable_rank()->set_rank(rank);
  hung.set_step(step);
  *hung.mutable_cause() = scheduler::MakeReason(code, std::move(sentence));
  return event;
}

// What is lost, stopping, or done already is for others to end. A gang that has lost a rank in
// peace is about to be done, or its leave window ends it.
bool IsToBeWatched(const Job& job) {
  if (job.gang_phase == pb::COMING_UP) return true;
  return job.state == pb::RUNNING && !job.training_done && job.living_ranks == job.world_size();
}

// Ranks that are gone have no worker to hear them from, and none is needed.
bool AllWorkersAreReady(const ClusterState& state, const Job& job) {
  return std::all_of(job.gang.begin(), job.gang.end(), [&](const scheduler::GangRank& rank) {
    const scheduler::Worker* const worker = state.FindWorker(rank.where.worker_id());
    return rank.gone() || (worker != nullptr && worker->state == pb::READY);
  });
}

// What a report changes of what is known of a rank. True: that is progress.
bool Take(const pb::RankMessage& message, pb::Activity& known) {
  switch (message.message_case()) {
    case pb::RankMessage::kActivity: {
      const pb::Activity& now = message.activity();
      const bool changed = now.step() != known.step() || now.entered() != known.entered() ||
                           now.left() != known.left() || now.doing() != known.doing();
      known = now;
      return changed;
    }
    case pb::RankMessage::kProgress: {
      // Reports of steps overtake nothing: they come from another thread of the rank.
      const bool further = message.progress().step() > known.step();
      if (further) known.set_step(message.progress().step());
      return further;
    }
    // Said by a rank that is on its way out, or beside its work.
    case pb::RankMessage::kFailed:
    case pb::RankMessage::kNotice:
    case pb::RankMessage::MESSAGE_NOT_SET: return false;
    // It listens, joined, committed, evaluated, finished: each is said once, after it was done.
    default: return true;
  }
}

}  // namespace

void HangWatch::OnReport(const pb::RankRef& ref, const pb::RankMessage& message,
                         absl::Duration now) {
  time_.Look(now);
  // A rank of an old generation says nothing about the present one; that it speaks at all is for
  // the scheduler to see to.
  const auto gang = gangs_.find(ref.job_id());
  if (gang == gangs_.end() || gang->second.generation != ref.generation()) return;
  std::vector<Rank>& ranks = gang->second.ranks;
  if (ref.rank() < 0 || ref.rank() >= static_cast<int32_t>(ranks.size())) return;
  Rank& rank = ranks[static_cast<size_t>(ref.rank())];
  rank.heard = time_.lived();
  if (Take(message, rank.activity)) rank.progressed = time_.lived();
}

std::vector<pb::Event> HangWatch::Check(const ClusterState& state, absl::Duration now) {
  time_.Look(now);
  std::vector<pb::Event> events;
  if (time_.lived() - looked_ < limits_.every) return events;
  looked_ = time_.lived();
  Follow(state);
  for (auto& [id, gang] : gangs_) {
    pb::Event event = JudgeGang(state, *state.FindJob(id), gang);
    if (!event.has_rank_hung()) continue;
    events.push_back(std::move(event));
    // Said once; should nothing come of it, it is said again after as long.
    RestartClocks(gang);
  }
  return events;
}

// From the state and not from events: whatever became of a job between two looks, what counts is
// where it is now. So nothing can be missed, and nothing has to be undone.
void HangWatch::Follow(const ClusterState& state) {
  for (auto gang = gangs_.begin(); gang != gangs_.end();) {
    const Job* const job = state.FindJob(gang->first);
    const bool keep = job != nullptr && IsToBeWatched(*job);
    gang = keep ? std::next(gang) : gangs_.erase(gang);
  }
  for (const auto& [id, job] : state.jobs()) {
    if (!IsToBeWatched(job)) continue;
    Gang& gang = gangs_[id];
    if (gang.generation != job.generation) {
      gang = Gang();
      gang.generation = job.generation;
      gang.ranks.resize(job.gang.size());
      RestartClocks(gang);
    }
    // It has only now come together, or not all of it can be heard: what was counted so far was no
    // standing still.
    const bool running = job.state == pb::RUNNING;
    if (gang.running != running || !AllWorkersAreReady(state, job)) RestartClocks(gang);
    gang.running = running;
  }
}

// Their activities stay: they are still what was said last.
void HangWatch::RestartClocks(Gang& gang) const {
  for (Rank& rank : gang.ranks) rank.heard = rank.progressed = time_.lived();
}

// The surest sign first: a rank from which nothing comes also makes no progress, and its peers
// wait.
pb::Event HangWatch::JudgeGang(const ClusterState& state, const Job& job, const Gang& gang) const {
  if (!gang.running) return JudgeStart(state, job, gang);
  pb::Event event = JudgeSilence(state, job, gang);
  if (!event.has_rank_hung()) event = JudgeBehind(state, job, gang);
  if (!event.has_rank_hung()) event = JudgeStandstill(job, gang);
  return event;
}

// Of a gang that comes up only life is asked for, not progress: loading has no end that could be
// known here. Those that have joined wait for the others and have nothing to say.
pb::Event HangWatch::JudgeStart(const ClusterState& state, const Job& job, const Gang& gang) const {
  std::vector<int32_t> missing;
  bool listens = true;
  for (size_t i = 0; i < gang.ranks.size(); ++i) {
    const RankPhase phase = job.gang[i].phase;
    if (phase == RankPhase::kJoined || phase == RankPhase::kGone) continue;
    if (SilentFor(gang.ranks[i]) < limits_.start) continue;
    missing.push_back(static_cast<int32_t>(i));
    listens = listens && phase == RankPhase::kListening;
  }
  if (missing.empty()) return pb::Event();
  const Rank& first = gang.ranks[static_cast<size_t>(missing[0])];
  return Hung(job, missing[0], first.activity.step(), "StartTimeout",
              absl::StrCat("generation ", job.generation, " did not come up: ",
                           listens ? "not joined" : "not heard of or not joined",
                           ", and without a sign of life for ", base::FormatDuration(limits_.start),
                           ": ", NameAll(state, job, missing)));
}

// Whatever the rank did: the thread that reports does nothing else, so when it is silent the whole
// process stands, and it will not come back by itself. Its worker is heard, or the gang would not
// be judged.
pb::Event HangWatch::JudgeSilence(const ClusterState& state, const Job& job,
                                  const Gang& gang) const {
  std::vector<int32_t> silent;
  for (size_t i = 0; i < gang.ranks.size(); ++i) {
    if (SilentFor(gang.ranks[i]) >= HangAfter(job)) silent.push_back(static_cast<int32_t>(i));
  }
  if (silent.empty()) return pb::Event();
  const Rank& first = gang.ranks[static_cast<size_t>(silent[0])];
  return Hung(
      job, silent[0], first.activity.step(), "RankHung",
      absl::StrCat(NameAll(state, job, silent),
                   silent.size() == 1 ? " is silent: nothing has come from its process for "
                                      : " are silent: nothing has come from the first for ",
                   base::FormatDuration(SilentFor(first)),
                   ", though its worker answers; it said last: ", DoingText(first.activity)));
}

// Both must have lasted: a rank that has computed for an hour is not late before somebody waits for
// it, and a peer that waits for an hour may wait for one that has just moved. The least of all
// counts is the one that holds up the others; those in between may be held up by it.
pb::Event HangWatch::JudgeBehind(const ClusterState& state, const Job& job,
                                 const Gang& gang) const {
  std::vector<int32_t> behind;
  int64_t least = std::numeric_limits<int64_t>::max();
  for (size_t i = 0; i < gang.ranks.size(); ++i) {
    const Rank& rank = gang.ranks[i];
    const int32_t waiting = WhoWaitsFor(gang, rank);
    if (waiting < 0) continue;
    const absl::Duration waited =
        std::min(StillFor(rank), StillFor(gang.ranks[static_cast<size_t>(waiting)]));
    if (waited < Allowed(job, rank) || rank.activity.entered() > least) continue;
    if (rank.activity.entered() < least) behind.clear();
    least = rank.activity.entered();
    behind.push_back(static_cast<int32_t>(i));
  }
  if (behind.empty()) return pb::Event();
  const Rank& rank = gang.ranks[static_cast<size_t>(behind[0])];
  const int32_t peer = WhoWaitsFor(gang, rank);
  const Rank& waiting = gang.ranks[static_cast<size_t>(peer)];
  const bool alone = behind.size() == 1;
  const std::string where =
      InCollective(rank.activity)
          ? absl::StrCat(alone ? "stands" : "stand", " in collective ", rank.activity.entered())
          : absl::StrCat(alone ? "has" : "have", " not entered collective ",
                         rank.activity.entered() + 1);
  return Hung(
      job, behind[0], rank.activity.step(), "RankHung",
      absl::StrCat(NameAll(state, job, behind), " ", where, ", ", DoingText(rank.activity),
                   ", without progress for ", base::FormatDuration(StillFor(rank)), "; rank ", peer,
                   " has waited in collective ", waiting.activity.entered(), " for ",
                   base::FormatDuration(StillFor(waiting))));
}

// Every rank is where every other one is, and each waits for data that it was sent. Whoever is
// killed, it would be the wrong one as often as not; so the gang is, and the sentence says so.
pb::Event HangWatch::JudgeStandstill(const Job& job, const Gang& gang) const {
  const Rank& first = gang.ranks[0];
  absl::Duration shortest = absl::InfiniteDuration();
  for (const Rank& rank : gang.ranks) {
    const bool same = InCollective(rank.activity) &&
                      rank.activity.entered() == first.activity.entered() &&
                      StillFor(rank) >= Allowed(job, rank);
    if (!same) return pb::Event();
    shortest = std::min(shortest, StillFor(rank));
  }
  return Hung(
      job, 0, first.activity.step(), "GangStandsStill",
      absl::StrCat("the gang of job ", job.id(), " stands still: ", scheduler::GangText(job),
                   " in collective ", first.activity.entered(), ", after step ",
                   first.activity.step(), ", for ", base::FormatDuration(shortest),
                   "; none is ahead or behind, so no rank is to blame"));
}

// The longest wait is the one that says most, and the one that people see in their graphs.
int32_t HangWatch::WhoWaitsFor(const Gang& gang, const Rank& rank) const {
  int32_t who = -1;
  absl::Duration longest = -absl::InfiniteDuration();
  for (size_t i = 0; i < gang.ranks.size(); ++i) {
    const Rank& peer = gang.ranks[i];
    const bool waits =
        InCollective(peer.activity) && peer.activity.entered() > rank.activity.entered();
    if (!waits || StillFor(peer) <= longest) continue;
    longest = StillFor(peer);
    who = static_cast<int32_t>(i);
  }
  return who;
}

// Job files always have a value; specs made by other means may not.
absl::Duration HangWatch::HangAfter(const Job& job) const {
  const double seconds = job.scheduling().hang_after();
  return seconds > 0 ? absl::Seconds(seconds) : limits_.hang_after;
}

absl::Duration HangWatch::Allowed(const Job& job, const Rank& rank) const {
  const std::string& doing = rank.activity.doing();
  if (IsPreparing(doing)) return absl::InfiniteDuration();
  return HangAfter(job) * (IsPatient(doing) ? limits_.patience : 1);
}

}  // namespace rm::coordinator
