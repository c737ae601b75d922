// A question is idempotent, so it may be asked twice: a late answer of a worker that was given up
// is as good as that of the one asked after it, and the first of both counts.
#include "runtime/coordinator/preflights.h"

#include <algorithm>
#include <tuple>
#include <utility>

namespace rm::coordinator {
namespace {

namespace pb = ::ringmaster::v1;

// Reading a data set's headers over a slow network file system takes seconds, not longer.
constexpr absl::Duration kAnswerWithin = absl::Seconds(30);

bool Fits(const pb::Hello& hello, const pb::ResourceSpec& resources) {
  const auto& labels = hello.labels();
  return std::all_of(resources.node_selector().begin(), resources.node_selector().end(),
                     [&](const auto& wanted) {
                       const auto label = labels.find(wanted.first);
                       return label != labels.end() && label->second == wanted.second;
                     });
}

}  // namespace

void Preflights::Ask(const pb::PreflightRequest& request, Done done) {
  questions_.emplace(request.job_id(), Question{request, std::move(done), "", "", {}});
}

void Preflights::Cancel(const std::string& id) { questions_.erase(id); }

bool Preflights::OnReport(const pb::PreflightReport& report) {
  const auto question = questions_.find(report.job_id());
  if (question == questions_.end()) return false;
  // Out of the map first: the answer may ask the next question.
  const Done done = std::move(question->second.done);
  questions_.erase(question);
  done({report.errors().begin(), report.errors().end()});
  return true;
}

void Preflights::OnDetached(const std::string& worker_id) {
  for (auto& [id, question] : questions_) {
    if (question.worker_id == worker_id) question.worker_id.clear();
  }
}

void Preflights::Check(absl::Duration now) {
  for (auto& [id, question] : questions_) {
    if (!question.worker_id.empty() && now - question.asked >= kAnswerWithin) {
      question.former = std::exchange(question.worker_id, "");
    }
    if (!question.worker_id.empty()) continue;
    const std::string worker_id = ChooseWorker(question);
    if (worker_id.empty()) continue;  // nobody fits yet: the next Check looks again
    question.worker_id = worker_id;
    question.asked = now;
    pb::WorkerCommand command;
    *command.mutable_preflight() = question.request;
    workers_.Send(worker_id, command);
  }
}

std::string Preflights::ChooseWorker(const Question& question) const {
  // Least of: did not answer before, questions open, id.
  std::tuple<bool, int64_t, std::string> best(true, INT64_MAX, "");
  for (const auto& [id, worker] : workers_.all()) {
    if (!worker.is_usable() || !Fits(worker.hello, question.request.spec().resources())) continue;
    const auto has_it = [&id = id](const auto& entry) { return entry.second.worker_id == id; };
    const int64_t open = std::count_if(questions_.begin(), questions_.end(), has_it);
    best = std::min(best, std::make_tuple(id == question.former, open, id));
  }
  return std::get<2>(best);
}

size_t Preflights::waiting() const {
  return static_cast<size_t>(
      std::count_if(questions_.begin(), questions_.end(),
                    [](const auto& entry) { return entry.second.worker_id.empty(); }));
}

}  // namespace rm::coordinator
