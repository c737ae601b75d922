// `bench schedule`: flags, files and lines; the replay itself is schedule_replay.

#include "tools/bench/schedule_bench.h"

#include <cmath>
#include <cstdint>
#include <cstdio>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "base/file_system.h"
#include "base/flags.h"
#include "base/nearest_name.h"
#include "base/status.h"
#include "scheduler/policy/policy.h"
#include "tools/bench/report.h"
#include "tools/bench/schedule_replay.h"
#include "tools/bench/schedule_report.h"
#include "tools/bench/schedule_synthetic.h"
#include "tools/bench/trace.h"

namespace rm::bench {
namespace {

// The flags with their defaults.
struct Options {
  std::string trace;
  std::string nodes = "16";
  int64_t slots = 8;
  std::string policy;  // not given: by what is measured, see PoliciesOf
  std::string placement = "strict";
  int64_t restart_cost = 60;
  std::string estimate;
  std::string decisions;
  bool synthetic = false;
  int64_t queued = 10'000;
  int64_t events = 200'000;
  int64_t seed = 1;
  std::string output = "table";
  bool help = false;
};

absl::StatusOr<Options> ParseOptions(int argc, char** argv, std::string* help) {
  Options o;
  base::FlagSet flags("trainctl bench schedule",
                      "Replays a trace of jobs on a simulated cluster by the scheduler's own core, or "
                      "measures the speed of that core.");
  flags.Text("trace", "FILE.csv",
             "columns job_id,submit_s,gpus,cpus,mem_mib,duration_s,group[,requested_s]", &o.trace);
  flags.Text("nodes", "N|NxS", "nodes, or nodes and slots of each, as 16x8", &o.nodes);
  flags.Integer("slots", "S", "slots of each node", 1, 4096, &o.slots);
  flags.Text("policy", "NAME,…", absl::StrCat("of: ", scheduler::PolicyNames(),
                          " (default adaptive; with --synthetic first_fit)"),
             &o.policy);
  flags.Choice("placement", {"strict", "any"},
               "strict: a gang no larger than a node stays in one, a larger one takes whole nodes; "
               "any: only the count of slots matters",
               &o.placement);
  flags.Integer("restart-cost", "SECONDS", "what each later start of a job costs", 0, 1 << 20,
                &o.restart_cost);
  flags.Text("estimate", "exact|FACTOR",
             "what the policy is told a job will run: its duration, or so many times it; without "
             "it, and without requested_s in the trace, nothing",
             &o.estimate);
  flags.Text("decisions", "FILE", "write begin, stop, job and nodes of every run to it as CSV",
             &o.decisions);
  flags.Switch("synthetic",
               "instead of a trace, measure the speed of the core: a full cluster with a queue that "
               "never shortens",
               &o.synthetic);
  flags.Integer("queued", "N", "with --synthetic: jobs that wait", 1, 1'000'000, &o.queued);
  flags.Integer("events", "N", "with --synthetic: jobs that end while it is measured", 1,
                100'000'000, &o.events);
  flags.Integer("seed", "N", "with --synthetic: of sizes and durations", 0, 1 << 30, &o.seed);
  flags.Choice("output", {"table", "json"}, "form of the lines", &o.output);
  flags.Letter('o', "output");
  RM_RETURN_IF_ERROR(flags.Parse(argc, argv));
  *help = flags.Help();
  o.help = flags.help_asked();
  if (!o.help) RM_RETURN_IF_ERROR(flags.NoPositionals());
  return o;
}

// "16" with --slots, or "16x8".
absl::Status ParseCluster(const Options& o, ReplayOptions& replay) {
  constexpr int64_t kNodesMax = 100'000;
  const std::vector<std::string> parts = absl::StrSplit(o.nodes, 'x');
  replay.slots = o.slots;
  const bool numbers = parts.size() <= 2 && absl::SimpleAtoi(parts[0], &replay.nodes) &&
                       (parts.size() == 1 || absl::SimpleAtoi(parts[1], &replay.slots));
  if (!numbers || replay.nodes < 1 || replay.nodes > kNodesMax || replay.slots < 1 ||
      replay.slots > 4096) {
    return absl::InvalidArgumentError(absl::StrCat(
        "--nodes: '", o.nodes, "' is not a number of nodes, nor nodes and slots such as 16x8"));
  }
  if (o.placement == "any" && replay.nodes * replay.slots > 4096) {
    return absl::InvalidArgumentError(
        "--placement any: one node has at most 4096 slots; take fewer nodes");
  }
  return absl::OkStatus();
}

absl::Status ParseEstimate(const std::string& text, ReplayOptions& replay) {
  if (text.empty()) return absl::OkStatus();
  replay.estimate_factor = 1;
  if (text == "exact") return absl::OkStatus();
  if (absl::SimpleAtod(text, &replay.estimate_factor) && replay.estimate_factor > 0 &&
      replay.estimate_factor <= 1e6) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(
      absl::StrCat("--estimate: '", text, "' is not 'exact' or a factor above 0"));
}

// All names are checked before the first replay: a trace may take a while.
absl::StatusOr<std::vector<std::string>> ParsePolicies(const std::string& text) {
  std::vector<std::string> known;
  for (const scheduler::Policy& policy : scheduler::Policies()) known.emplace_back(policy.name);
  std::vector<std::string> names = absl::StrSplit(text, ',', absl::SkipEmpty());
  for (const std::string& name : names) {
    if (scheduler::FindPolicy(name) != nullptr) continue;
    return absl::InvalidArgumentError(
        absl::StrCat("--policy: there is no policy '", name, "'", base::Suggestion(name, known),
                     "; choose of: ", scheduler::PolicyNames()));
  }
  if (names.empty()) return absl::InvalidArgumentError("--policy: give at least one name");
  return names;
}

absl::StatusOr<ReplayOptions> ReplayOptionsOf(const Options& o) {
  ReplayOptions replay;
  RM_RETURN_IF_ERROR(ParseCluster(o, replay));
  RM_RETURN_IF_ERROR(ParseEstimate(o.estimate, replay));
  replay.locality = o.placement == "any" ? Locality::kAny : Locality::kStrict;
  replay.restart_cost = o.restart_cost;
  return replay;
}

absl::StatusOr<std::vector<TraceJob>> ReadTrace(const std::string& path) {
  if (path.empty()) return absl::InvalidArgumentError("--trace: give a file of jobs");
  RM_ASSIGN_OR_RETURN(const std::string text, base::PosixFileSystem().ReadFile(path));
  return ParseTrace(text, path);
}

absl::Status ReplayOne(const std::vector<TraceJob>& trace, const ReplayOptions& replay,
                       const Options& o) {
  RM_ASSIGN_OR_RETURN(const ReplayResult result, Replay(trace, replay));
  base::Json line;
  line.Set("bench", "schedule");
  line.Set("policy", replay.policy);
  line.Set("trace", o.trace);
  line.Set("nodes", replay.nodes);
  line.Set("slots", replay.slots);
  line.Set("placement", o.placement);
  AddScheduleFigures(trace, replay, result, line);
  AddCircumstances(line);
  PrintLine(line, o.output == "json");
  if (o.decisions.empty()) return absl::OkStatus();
  return base::WriteFileAtomically(base::PosixFileSystem(), o.decisions,
                                   DecisionLines(trace, result));
}

// The speed of the core under one policy; the replay's options say which cluster.
absl::Status MeasureOne(const ReplayOptions& replay, const Options& o) {
  SyntheticOptions synthetic;
  synthetic.nodes = replay.nodes;
  synthetic.slots = replay.slots;
  synthetic.queued = o.queued;
  synthetic.events = o.events;
  synthetic.seed = static_cast<uint64_t>(o.seed);
  synthetic.policy = replay.policy;
  RM_ASSIGN_OR_RETURN(const SyntheticResult result, MeasureSynthetic(synthetic));
  base::Json line;
  line.Set("bench", "schedule");
  line.Set("policy", replay.policy);
  line.Set("nodes", replay.nodes);
  line.Set("slots", replay.slots);
  line.Set("placements", result.placements);
  line.Set("placements_per_s", std::round(result.placements_per_s));
  line.Set("step_p50_us", std::round(result.step_p50_us * 10) / 10);
  line.Set("step_p99_us", std::round(result.step_p99_us * 10) / 10);
  line.Set("queued", result.queued);
  line.Set("utilisation", std::round(result.utilisation * 1e4) / 1e4);
  AddCircumstances(line);
  PrintLine(line, o.output == "json");
  return absl::OkStatus();
}

// Lines for all policies; the first failure ends it.
absl::Status RunAll(const std::vector<std::string>& policies, const std::vector<TraceJob>& trace,
                    ReplayOptions replay, const Options& o) {
  for (const std::string& policy : policies) {
    replay.policy = policy;
    RM_RETURN_IF_ERROR(o.synthetic ? MeasureOne(replay, o) : ReplayOne(trace, replay, o));
  }
  return absl::OkStatus();
}

// One line with the cause, as every command of trainctl has it.
int Fail(const absl::Status& status, int code) {
  std::fputs(absl::StrCat("trainctl bench schedule: ", status.message(), "\n").c_str(), stderr);
  return code;
}

// A trace is for judging decisions, so the policy is the one that decides best. The speed of the core is
// that of a policy that looks at a few jobs a step: one that plans the whole cluster is for smaller ones.
absl::StatusOr<std::vector<std::string>> PoliciesOf(const Options& options) {
  const char* const usual = options.synthetic ? "first_fit" : "adaptive";
  return ParsePolicies(options.policy.empty() ? usual : options.policy);
}

}  // namespace

int ScheduleBenchCommand(int argc, char** argv) {
  std::string help;
  const auto options = ParseOptions(argc, argv, &help);
  if (!options.ok()) return Fail(options.status(), 2);
  if (options->help) {
    std::fputs(help.c_str(), stdout);
    return 0;
  }
  const auto policies = PoliciesOf(*options);
  if (!policies.ok()) return Fail(policies.status(), 2);
  const auto replay = ReplayOptionsOf(*options);
  if (!replay.ok()) return Fail(replay.status(), 2);
  absl::StatusOr<std::vector<TraceJob>> trace = std::vector<TraceJob>();
  if (!options->synthetic) trace = ReadTrace(options->trace);
  if (!trace.ok()) return Fail(trace.status(), 2);
  if (policies->size() > 1 && !options->decisions.empty()) {
    return Fail(absl::InvalidArgumentError("--decisions: give one policy with it"), 2);
  }
  const absl::Status done = RunAll(*policies, *trace, *replay, *options);
  return done.ok() ? 0 : Fail(done, 1);
}

}  // namespace rm::bench
