// trainctl list: jobs in a table, or as names, JSON or YAML for scripts.

#include <iostream>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/clock.h"
#include "tools/trainctl/command.h"
#include "tools/trainctl/exit_code.h"
#include "tools/trainctl/print.h"

namespace rm::trainctl {
namespace pb = ::ringmaster::v1;
namespace {

// "-" before the first step; of a job of which only the checkpoint is known, its step alone.
std::string ProgressColumn(const pb::Job& job) {
  const pb::JobProgress& progress = job.progress();
  if (progress.step() == 0) return "-";
  if (progress.total_steps() == 0) return absl::StrCat(progress.step());
  return absl::StrFormat("%d/%d", progress.step(), progress.total_steps());
}

// Held and wanted, as "2/2".
std::string SlotsColumn(const pb::Job& job) {
  int held = 0;
  for (const pb::Placement& placement : job.placement()) held += placement.slots_size();
  const pb::ResourceSpec& resources = job.spec().resources();
  return absl::StrCat(held, "/", resources.ranks_max() * std::max(1, resources.slots_per_rank()));
}

// The sentence and the rates only where asked for: most terminals are narrow.
std::string JobTable(const std::vector<pb::Job>& jobs, bool wide) {
  const int64_t now = absl::GetCurrentTimeNanos();
  std::vector<std::vector<std::string>> rows = {
      {"ID", "STATE", "STEP", "SLOTS", "PRIORITY", "SUBMITTED", "USER", "REASON"}};
  if (wide) rows[0].insert(rows[0].end(), {"LOSS", "SAMPLES/S", "RESTARTS", "SENTENCE"});
  for (const pb::Job& job : jobs) {
    rows.push_back({job.job_id(), StateName(job.state()), ProgressColumn(job), SlotsColumn(job),
                    absl::StrCat(job.spec().scheduling().priority()),
                    FormatAge(job.submitted_ns(), now), job.user(), job.reason().code()});
    if (!wide) continue;
    rows.back().insert(rows.back().end(),
                       {absl::StrFormat("%.4f", job.progress().loss()),
                        absl::StrFormat("%.0f", job.progress().samples_per_second()),
                        absl::StrCat(job.restarts()), job.reason().sentence()});
  }
  return FormatTable(rows);
}

// Page by page, so that no answer is too large.
absl::StatusOr<std::vector<pb::Job>> AllJobs(client::Client& client, pb::ListJobsRequest request) {
  std::vector<pb::Job> jobs;
  do {
    const auto page = client.List(request);
    if (!page.ok()) return page.status();
    jobs.insert(jobs.end(), page->jobs().begin(), page->jobs().end());
    request.set_page_token(page->next_page_token());
  } while (!request.page_token().empty());
  return jobs;
}

// The four forms of a listing.
void PrintJobs(const std::vector<pb::Job>& jobs, const std::string& format) {
  if (format == "name") {
    for (const pb::Job& job : jobs) std::cout << job.job_id() << "\n";
  } else if (IsStructured(format)) {
    std::vector<const google::protobuf::Message*> messages;
    for (const pb::Job& job : jobs) messages.push_back(&job);
    std::cout << FormatList(messages, format);
  } else {
    std::cout << JobTable(jobs, format == "wide");
  }
}

}  // namespace

int RunList(const Command& command, const Words& words) {
  bool all = false;
  std::string state_name;
  CommandLine line(command);
  line.flags().Switch("all", "ended jobs too", &all);
  line.flags().Letter('a', "all");
  line.flags().Text("state", "STATE", "only jobs in this state: queued, running, failed … (default: any)",
                    &state_name);
  if (!line.Parse(words, 0, 0)) return line.exit_code();
  pb::ListJobsRequest request;
  request.set_state(StateOfName(state_name));
  if (!state_name.empty() && request.state() == pb::JOB_STATE_UNSPECIFIED) {
    return Complain(absl::InvalidArgumentError(absl::StrCat(
        "--state: no state is called '", state_name,
        "'; known: queued, starting, running, recovering, stopping, paused, succeeded, failed, "
        "cancelled")));
  }
  request.set_all(all || IsFinal(request.state()));
  Session session;
  const auto client = session.Connect(line.common());
  if (!client.ok()) return Complain(client.status());
  const auto jobs = AllJobs(**client, request);
  if (!jobs.ok()) return Complain(jobs.status());
  PrintJobs(*jobs, line.common().output);
  return kDone;
}

}  // namespace rm::trainctl
