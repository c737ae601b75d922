#include "scheduler/policy/service.h"

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "scheduler/state/job_state.h"

namespace rm::scheduler {
namespace {

constexpr int64_t kEndedMin = 10;            // before it, a mean says nothing
constexpr double kMeanAtFirst = 10 * 3600;   // slot-seconds
constexpr double kSmallShare = 0.45;         // of the mean
constexpr size_t kSampleMax = 250;
constexpr size_t kSampleMin = 8;
constexpr double kCertain = 0.98;
constexpr int64_t kPatienceFactor = 10;
constexpr absl::Duration kPatienceMin = absl::Hours(7 * 24);

// A job that took so many seconds, or took more than that.
struct Sample {
  double seconds = 0;
  bool censored = false;

  // Of equal times the ends come first, as the estimate has it.
  bool operator<(const Sample& other) const {
    return seconds != other.seconds ? seconds < other.seconds : censored < other.censored;
  }
};

// The newest of that size: what users run changes, and a week ago tells more than last year.
std::vector<Sample> SamplesOf(const History& history, int64_t slots, absl::Time now) {
  std::vector<Sample> samples;
  const History::Jobs& jobs = history.OfSlots(slots);
  for (auto job = jobs.rbegin(); job != jobs.rend() && samples.size() < kSampleMax; ++job) {
    const bool ended = IsEnded((*job)->state);
    const absl::Duration served = (*job)->Served(ended ? (*job)->ended : now);
    // One that was never served tells nothing.
    if (served > absl::ZeroDuration()) samples.push_back({absl::ToDoubleSeconds(served), !ended});
  }
  std::sort(samples.begin(), samples.end());
  return samples;
}

}  // namespace

double MeanService(const History& history) {
  if (history.ended() < kEndedMin) return kMeanAtFirst;
  return static_cast<double>(history.ended_slot_ms()) / 1000 /
         static_cast<double>(history.ended());
}

double SmallService(const History& history) {
  const double small = std::max(1.0, kSmallShare * MeanService(history));
  return std::exp2(std::round(std::log2(small)));
}

// The estimate steps down at each end, by the share of those at risk that end there; who is censored
// only leaves those at risk. What is asked is S(most) / S(t), which grows with t: the first t at
// which it is large enough is the answer.
absl::Duration HeadStart(const History& history, int64_t slots, double small_service,
                         absl::Time now) {
  const double most = small_service / static_cast<double>(slots);
  const std::vector<Sample> samples = SamplesOf(history, slots, now);
  if (samples.size() < kSampleMin) return absl::Seconds(most);
  // One sample more than there are, that outlasts all: the tail is never taken for closed.
  double at_risk = static_cast<double>(samples.size()) + 1;
  double survival = 1;
  std::vector<std::pair<double, double>> steps;  // time, share that takes more
  for (const Sample& sample : samples) {
    if (sample.seconds > most) break;
    if (!sample.censored) {
      survival *= 1 - 1 / at_risk;
      steps.emplace_back(sample.seconds, survival);
    }
    at_risk -= 1;
  }
  if (survival > kCertain) return absl::ZeroDuration();
  for (const auto& [time, share] : steps) {
    if (survival / share > kCertain) return absl::Seconds(time);
  }
  return absl::Seconds(most);
}

absl::Duration Patience(const History& history) {
  if (history.ended() < kEndedMin) return kPatienceMin;
  const absl::Duration mean =
      absl::Milliseconds(history.ended_completion_ms() / history.ended());
  return std::max(kPatienceMin, kPatienceFactor * mean);
}

}  // namespace rm::scheduler
