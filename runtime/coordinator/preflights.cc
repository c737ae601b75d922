// A question is idempotent, so it may be asked twice: a late answer of a worker that was given up
// is as good as that of the one asked after it, and the first of both counts for their host.
#include "runtime/coordinator/preflights.h"

#include <algorithm>
#include <tuple>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

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

// An error and the hosts that have it. Their workers name themselves in it where it is about the
// machine and not about the job (preflight.h): "12:5: on host h1: there is no …".
struct Finding {
  std::string head;  // before the name; all of it when no host is named
  std::string tail;  // behind it
  bool names_host = false;
  std::vector<std::string> hosts;

  Finding(const std::string& error, const std::string& host) : head(error), hosts({host}) {
    const std::string name = absl::StrCat("on host ", host, ": ");
    const size_t at = error.find(name);
    if (at == std::string::npos) return;
    head = error.substr(0, at);
    tail = error.substr(at + name.size());
    names_host = true;
  }
  [[nodiscard]] bool IsSame(const Finding& other) const {
    return head == other.head && tail == other.tail && names_host == other.names_host;
  }
  // What is wrong on all hosts is wrong with the job, and what only some have, with those.
  [[nodiscard]] std::string Sentence(size_t asked) const {
    const std::string where = absl::StrCat(hosts.size() == 1 ? "on host " : "on hosts ",
                                           absl::StrJoin(hosts, ", "));
    const std::string text = names_host ? absl::StrCat(head, where, ": ", tail) : head;
    if (hosts.size() == asked) return text;
    return absl::StrCat(text, " (", names_host ? "" : absl::StrCat(where, "; "), "of ", asked,
                        " hosts asked, the others have no such trouble: mend it there, or keep the "
                        "job off with resources.node_selector)");
  }
};

}  // namespace

void Preflights::Ask(const pb::PreflightRequest& request, Done done) {
  questions_.emplace(request.job_id(), Question{request, std::move(done), {}});
}

void Preflights::Cancel(const std::string& id) { questions_.erase(id); }

bool Preflights::OnReport(const std::string& worker_id, const pb::PreflightReport& report) {
  const auto question = questions_.find(report.job_id());
  const AttachedWorkers::Attached* const worker = workers_.Find(worker_id);
  if (question == questions_.end() || worker == nullptr) return false;
  const auto host = question->second.hosts.find(worker->hello.host());
  if (host == question->second.hosts.end()) return false;
  host->second.has_answered = true;
  host->second.errors.assign(report.errors().begin(), report.errors().end());
  SettleIfComplete(report.job_id());
  return true;
}

void Preflights::OnDetached(const std::string& worker_id) {
  for (auto& [id, question] : questions_) {
    for (auto& [name, host] : question.hosts) {
      if (host.worker_id == worker_id) host.worker_id.clear();
    }
  }
}

void Preflights::Check(absl::Duration now) {
  std::vector<std::string> ids;  // settling a question takes it out of the map
  for (auto& [id, question] : questions_) {
    Pursue(question, now);
    ids.push_back(id);
  }
  for (const std::string& id : ids) SettleIfComplete(id);
}

void Preflights::Pursue(Question& question, absl::Duration now) {
  if (question.hosts.empty()) question.hosts = ChooseHosts(question);
  const bool any_answer =
      std::any_of(question.hosts.begin(), question.hosts.end(),
                  [](const auto& entry) { return entry.second.has_answered; });
  for (auto entry = question.hosts.begin(); entry != question.hosts.end();) {
    Host& host = entry->second;
    const bool is_late = !host.worker_id.empty() && now - host.asked >= kAnswerWithin;
    if (is_late) host.former = std::exchange(host.worker_id, "");
    if (host.has_answered || !host.worker_id.empty()) {
      ++entry;
      continue;
    }
    const std::string worker_id = ChooseWorker(question, entry->first, host);
    // Nobody is left to ask there, or only who did not answer: one host must not hold a job up that
    // others could run, and one that is gone for good leaves room for who comes in its place.
    if (worker_id.empty() || (any_answer && worker_id == host.former)) {
      entry = question.hosts.erase(entry);
      continue;
    }
    host.worker_id = worker_id;
    host.asked = now;
    pb::WorkerCommand command;
    *command.mutable_preflight() = question.request;
    workers_.Send(worker_id, command);
    ++entry;
  }
}

std::map<std::string, Preflights::Host> Preflights::ChooseHosts(const Question& question) const {
  std::map<std::string, Host> ready;
  std::map<std::string, Host> usable;
  for (const auto& [id, worker] : workers_.all()) {
    if (!worker.is_usable() || !Fits(worker.hello, question.request.spec().resources())) continue;
    usable[worker.hello.host()];
    if (takes_work_(id)) ready[worker.hello.host()];
  }
  return ready.empty() ? usable : ready;
}

std::string Preflights::ChooseWorker(const Question& question, const std::string& name,
                                     const Host& host) const {
  // Least of: did not answer before, questions open, id.
  std::tuple<bool, int64_t, std::string> best(true, INT64_MAX, "");
  for (const auto& [id, worker] : workers_.all()) {
    if (!worker.is_usable() || worker.hello.host() != name ||
        !Fits(worker.hello, question.request.spec().resources())) {
      continue;
    }
    best = std::min(best, std::make_tuple(id == host.former, OpenOf(id), id));
  }
  return std::get<2>(best);
}

int64_t Preflights::OpenOf(const std::string& worker_id) const {
  int64_t open = 0;
  for (const auto& [id, question] : questions_) {
    open += std::count_if(question.hosts.begin(), question.hosts.end(), [&](const auto& entry) {
      return entry.second.worker_id == worker_id && !entry.second.has_answered;
    });
  }
  return open;
}

void Preflights::SettleIfComplete(const std::string& id) {
  const auto question = questions_.find(id);
  if (question == questions_.end() || question->second.hosts.empty()) return;
  const std::map<std::string, Host>& hosts = question->second.hosts;
  std::vector<Finding> found;
  for (const auto& [name, host] : hosts) {
    if (!host.has_answered) return;
    for (const std::string& error : host.errors) {
      const Finding finding(error, name);
      const auto same = std::find_if(found.begin(), found.end(), [&](const Finding& known) {
        return known.IsSame(finding);
      });
      if (same == found.end()) {
        found.push_back(finding);
      } else if (same->hosts.back() != name) {
        same->hosts.push_back(name);
      }
    }
  }
  std::vector<std::string> errors;
  for (const Finding& finding : found) errors.push_back(finding.Sentence(hosts.size()));
  // Out of the map first: the answer may ask the next question.
  const Done done = std::move(question->second.done);
  questions_.erase(question);
  done(errors);
}

size_t Preflights::waiting() const {
  return static_cast<size_t>(
      std::count_if(questions_.begin(), questions_.end(), [](const auto& entry) {
        const auto& hosts = entry.second.hosts;
        return std::all_of(hosts.begin(), hosts.end(),
                           [](const auto& host) { return host.second.worker_id.empty(); });
      }));
}

}  // namespace rm::coordinator
