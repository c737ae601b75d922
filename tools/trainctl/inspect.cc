// trainctl describe and why: everything about a job, and the one thing people ask.

#include <iostream>
#include <map>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/time/clock.h"
#include "runtime/jobspec/jobspec.h"
#include "tools/trainctl/command.h"
#include "tools/trainctl/exit_code.h"
#include "tools/trainctl/print.h"

namespace rm::trainctl {
namespace pb = ::ringmaster::v1;
namespace {

// A name, padding, a value; nothing for an empty value.
void AppendField(std::string* text, absl::string_view name, absl::string_view value) {
  if (value.empty()) return;
  absl::StrAppend(text, name, std::string(name.size() < 15 ? 15 - name.size() : 1, ' '), value, "\n");
}

// Where each rank runs.
void AppendPlacement(std::string* text, const pb::Job& job) {
  for (const pb::Placement& placement : job.placement()) {
    AppendField(text, absl::StrCat("rank ", placement.rank()),
                absl::StrCat("worker ", placement.worker_id(), ", slots ",
                             absl::StrJoin(placement.slots(), ",")));
  }
}

// The newest numbers, and the newest of each metric.
void AppendProgress(std::string* text, const pb::Job& job) {
  const pb::JobProgress& progress = job.progress();
  if (progress.step() > 0 && progress.total_steps() == 0) {
    AppendField(text, "progress", absl::StrFormat("step %d is on disk", progress.step()));
  } else if (progress.step() > 0) {
    AppendField(text, "progress",
                absl::StrFormat("step %d of %d, epoch %.2f, loss %.5f, %.0f samples/s, lr %g",
                                progress.step(), progress.total_steps(), progress.epoch(),
                                progress.loss(), progress.samples_per_second(),
                                progress.learning_rate()));
  }
  const std::map<std::string, double> metrics(job.metrics().begin(), job.metrics().end());
  for (const auto& [name, value] : metrics) {
    AppendField(text, name, absl::StrFormat("%.5f", value));
  }
}

// From what a person asks first to what is asked last.
std::string DescribeText(const pb::Job& job) {
  const int64_t now = absl::GetCurrentTimeNanos();
  std::string text;
  AppendField(&text, "job", job.job_id());
  AppendField(&text, "state", absl::StrCat(StateName(job.state()), " – ", job.reason().code(), ": ",
                                           job.reason().sentence()));
  AppendField(&text, "user", job.user());
  AppendField(&text, "submitted", absl::StrCat(FormatTimeNs(job.submitted_ns()), " (",
                                               FormatAge(job.submitted_ns(), now), ")"));
  AppendField(&text, "started", FormatTimeNs(job.started_ns()));
  AppendField(&text, "ended", FormatTimeNs(job.ended_ns()));
  AppendField(&text, "generation", absl::StrCat(job.generation(), ", restarts ", job.restarts()));
  AppendPlacement(&text, job);
  AppendProgress(&text, job);
  AppendField(&text, "checkpoint", job.last_checkpoint());
  AppendField(&text, "checkpoints in", job.checkpoint_folder());
  AppendField(&text, "logs", job.log_folder());
  AppendField(&text, "weights sha256", job.weights_sha256());
  AppendField(&text, "computes by", job.plan().fingerprint());
  absl::StrAppend(&text, "spec:\n", jobspec::ToYaml(job.spec()));
  return text;
}

// The reason, what it would take, and who has it.
std::string WhyText(const pb::Explanation& explanation) {
  std::string text = absl::StrCat(explanation.reason().code(), ": ",
                                  explanation.reason().sentence(), "\n");
  for (const std::string& detail : explanation.details()) {
    absl::StrAppend(&text, "  ", detail, "\n");
  }
  for (const pb::Holder& holder : explanation.holders()) {
    absl::StrAppend(&text, "  held by ", holder.job_id(), ": ", holder.slots(), " slots of worker ",
                    holder.worker_id(), "\n");
  }
  return text;
}

}  // namespace

int RunDescribe(const Command& command, const Words& words) {
  CommandLine line(command);
  if (!line.Parse(words, 1, 1)) return line.exit_code();
  Session session;
  const auto client = session.Connect(line.common());
  if (!client.ok()) return Complain(client.status());
  const auto job = (*client)->Get(line.positional(0));
  if (!job.ok()) return ComplainOfJob(job.status());
  const std::string& format = line.common().output;
  if (format == "name") {
    std::cout << job->job_id() << "\n";
  } else {
    std::cout << (IsStructured(format) ? FormatMessage(*job, format) : DescribeText(*job));
  }
  return kDone;
}

int RunWhy(const Command& command, const Words& words) {
  CommandLine line(command);
  if (!line.Parse(words, 1, 1)) return line.exit_code();
  Session session;
  const auto client = session.Connect(line.common());
  if (!client.ok()) return Complain(client.status());
  const auto explanation = (*client)->Explain(line.positional(0));
  if (!explanation.ok()) return ComplainOfJob(explanation.status());
  const std::string& format = line.common().output;
  if (format == "name") {
    std::cout << explanation->reason().code() << "\n";
  } else {
    std::cout << (IsStructured(format) ? FormatMessage(*explanation, format)
                                       : WhyText(*explanation));
  }
  return kDone;
}

}  // namespace rm::trainctl
