#include "tools/trainctl/command.h"

#include <iostream>

#include "absl/strings/str_cat.h"
#include "tools/trainctl/exit_code.h"

namespace rm::trainctl {
namespace {

// The table: help, dispatch and suggestions are made from it.
constexpr Command kCommands[] = {
    {"submit", "", "JOB.yaml [flags]", "Submits a job; '-' reads it from standard input.",
     "  trainctl submit job.yaml --follow\n"
     "  trainctl submit job.yaml --set train.epochs=10 --set resources.ranks=4\n",
     &RunSubmit},
    {"list", "ls", "[flags]", "Lists jobs: those that have not ended, or all with -a.",
     "  trainctl list -a --state failed\n", &RunList},
    {"describe", "", "JOB [flags]", "Shows everything about a job.", "", &RunDescribe},
    {"why", "", "JOB [flags]", "Says why a job waits or stopped, and who holds what it needs.", "",
     &RunWhy},
    {"logs", "", "JOB [flags]", "Prints the logs of a job's ranks.",
     "  trainctl logs -f mnist --rank 0 --tail 20\n", &RunLogs},
    {"events", "", "[JOB] [flags]", "Prints what happened to a job, or to all.",
     "  trainctl events -w\n", &RunEvents},
    {"wait", "", "JOB [flags]", "Waits until a job has ended.", "  trainctl wait mnist --timeout 10m\n",
     &RunWait},
    {"cancel", "", "JOB [flags]", "Ends a job after a last checkpoint.", "", &RunCancel},
    {"kill", "", "JOB [flags]", "Ends a job at once.", "", &RunKill},
    {"pause", "", "JOB [flags]", "Takes a job off its slots after a checkpoint.", "", &RunPause},
    {"resume", "", "JOB [flags]", "Lets a paused job go on.", "", &RunResume},
    {"checkpoint ls", "", "JOB [flags]", "Lists a job's checkpoints.", "", &RunCheckpointList},
    {"checkpoint verify", "", "JOB[@best|@STEP] [flags]",
     "Reads every byte of a checkpoint and compares its checksums.", "", &RunCheckpointVerify},
    {"model export", "", "JOB[@best|@latest|@STEP]|PATH [flags]",
     "Writes the trained model of a checkpoint as ONNX or safetensors.",
     "  trainctl model export mnist@best --output mnist.onnx\n"
     "  trainctl model export mnist --format safetensors\n"
     "  trainctl model export /storage/mnist-1a2b/step-000000001000-g1 --model job.yaml\n",
     &RunModelExport},
    {"node ls", "", "[flags]", "Lists the workers.", "", &RunNodeList},
    {"cluster up", "", "[flags]",
     "Starts a coordinator and workers on this machine, or what has died of them.",
     "  trainctl cluster up --workers 2 --slots 1\n", &RunClusterUp},
    {"cluster down", "", "[flags]", "Stops the cluster that 'cluster up' started.", "",
     &RunClusterDown},
    {"cluster status", "", "[flags]", "Shows the cluster as a whole.", "", &RunClusterStatus},
    {"graph", "", "MODEL.onnx|zoo:NAME [flags]",
     "Shows what a model is to the engine: parameters, nodes, kernels, memory.",
     "  trainctl graph resnet18.onnx --batch 32\n  trainctl graph zoo:convnet -o json\n", &RunGraph},
    {"bench", "", "NAME [flags]", "Measures: train, allreduce.",
     "  trainctl bench train --model convnet --ranks 2 -o json\n", &RunBench},
    {"schema", "", "[flags]", "Prints the JSON Schema of job files, for editors.",
     "  trainctl schema > jobspec.schema.json\n  trainctl schema --markdown\n", &RunSchema},
    {"version", "", "", "Prints the version.", "", &RunVersion},
};

}  // namespace

absl::Span<const Command> Commands() { return kCommands; }

CommandLine::CommandLine(const Command& command, bool output_is_a_file)
    : command_(command), flags_(absl::StrCat("trainctl ", command.name), command.summary) {
  flags_.SetUsage(command.usage);
  AddCommonFlags(flags_, &common_, output_is_a_file);
}

// Help is an answer on standard output; a mistake is a complaint on standard error.
bool CommandLine::Parse(const Words& words, size_t least, size_t most) {
  std::vector<const char*> argv;
  for (const std::string& word : words) argv.push_back(word.c_str());
  absl::Status parsed = flags_.Parse(static_cast<int>(argv.size()), argv.data());
  if (parsed.ok() && flags_.help_asked()) {
    std::cout << flags_.Help();
    if (*command_.examples != 0) std::cout << "\nexamples:\n" << command_.examples;
    return false;
  }
  if (parsed.ok() && flags_.positionals().size() < least) {
    parsed = absl::InvalidArgumentError(absl::StrCat("usage: trainctl ", command_.name, " ",
                                                     command_.usage));
  }
  if (parsed.ok() && flags_.positionals().size() > most) {
    parsed = absl::InvalidArgumentError(
        absl::StrCat("unexpected argument '", flags_.positionals()[most], "' (usage: trainctl ",
                     command_.name, " ", command_.usage, ")"));
  }
  if (parsed.ok()) return true;
  exit_code_ = Complain(parsed);
  return false;
}

}  // namespace rm::trainctl
