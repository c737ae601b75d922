// trainctl model: the way of a trained model out of the cluster, to whatever runs it.
//
//   weights   from a job's checkpoint (through the coordinator, while the job runs as well as after it), or a file or folder here
//   graph     of the job's model block; a file that the job brought along comes from the cluster's storage
//   file      beside its place first, then by its name: whoever sees the name sees the whole file
#include <iostream>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/file_system.h"
#include "base/json.h"
#include "base/sha256.h"
#include "base/status.h"
#include "base/units.h"
#include "runtime/jobspec/jobspec.h"
#include "runtime/model/export.h"
#include "runtime/onnx/model_file.h"
#include "tools/trainctl/checkpoint_choice.h"
#include "tools/trainctl/command.h"
#include "tools/trainctl/exit_code.h"
#include "tools/trainctl/print.h"
#include "tools/trainctl/trained_weights.h"

namespace rm::trainctl {
namespace {

namespace pb = ::ringmaster::v1;
using ringmaster::onnx::ModelProto;

constexpr char kOnnx[] = "onnx";
constexpr char kSafetensors[] = "safetensors";
constexpr char kZoo[] = "zoo:";

// The flags of model export.
struct ExportFlags {
  std::string format;  // "" until it is told by the file's name
  std::string file;
  std::string model;
  bool force = false;
};

// What is exported: which job's, or which folder's, and the graph that belongs to it.
struct Source {
  std::string name;  // of the file, where none is given
  TrainedWeights weights;
  pb::ModelSpec model;
  ModelProto original;  // of a model that came from a file of the cluster's storage
};

// A job's id has no slash, so a path can be told from it; "./folder" is one in any case.
bool IsPath(const std::string& word) { return absl::StrContains(word, '/'); }

// Nothing is fetched for a file that cannot be written anyway.
absl::Status CheckTarget(const std::string& path, bool force) {
  const base::FileSystem& files = base::PosixFileSystem();
  const auto there = files.Stat(path);
  if (there.ok() && there->is_folder) {
    return absl::FailedPreconditionError(absl::StrCat("--output: ", path, " is a folder"));
  }
  if (there.ok() && !force) {
    return absl::FailedPreconditionError(
        absl::StrCat("--output: ", path, " is there already; --force replaces it"));
  }
  return base::Annotate(files.Stat(base::ParentPath(path)).status(), "--output");
}

// The model block of a job file, with its paths as from here.
absl::StatusOr<pb::ModelSpec> ModelOfJobFile(const std::string& path) {
  const auto text = base::PosixFileSystem().ReadFile(path);
  if (!text.ok()) return absl::InvalidArgumentError(text.status().message());
  const jobspec::ParseResult parsed = jobspec::Parse(*text);
  if (!parsed.ok()) {
    return absl::InvalidArgumentError(jobspec::Render(parsed.errors[0], path, *text));
  }
  pb::ModelSpec model = parsed.spec.model();
  if (!model.onnx().empty()) {
    model.set_onnx(base::JoinPath(base::ParentPath(path), model.onnx()));
  }
  return model;
}

// --model: what a folder of weights does not say.
absl::StatusOr<pb::ModelSpec> NamedModel(const std::string& model) {
  pb::ModelSpec spec;
  if (model.empty()) {
    return absl::InvalidArgumentError(
        "there are weights and no graph: name it by --model JOB.yaml, zoo:NAME or FILE.onnx "
        "(or take --format safetensors)");
  }
  if (absl::StartsWith(model, kZoo)) {
    spec.set_zoo(model.substr(sizeof(kZoo) - 1));
    return spec;
  }
  if (!absl::EndsWith(model, ".onnx")) return ModelOfJobFile(model);
  spec.set_onnx(model);
  return spec;
}

// The model is looked at first: a slip in its name is told before gigabytes are read.
absl::StatusOr<Source> OpenFolder(const std::string& path, const ExportFlags& flags) {
  Source source;
  if (flags.format == kOnnx) {
    RM_ASSIGN_OR_RETURN(source.model, NamedModel(flags.model));
  }
  std::vector<std::string> warnings;
  auto weights = TrainedWeights::Read(base::PosixFileSystem(), path, &warnings);
  for (const std::string& warning : warnings) std::cerr << "warning: " << warning << "\n";
  if (!weights.ok()) return LocalError(weights.status());
  source.weights = *std::move(weights);
  return source;
}

// A job's file lies in the storage of the cluster under its digest, whatever it was called.
absl::StatusOr<ModelProto> FetchOriginal(client::Client& client, const std::string& path) {
  const std::string sha256 = base::BaseName(path);
  if (!base::IsSha256Hex(sha256)) return onnx::ReadModel(base::PosixFileSystem(), path);
  RM_ASSIGN_OR_RETURN(const std::string bytes, client.DownloadArtifact(sha256));
  return onnx::ParseModel(bytes, "the job's model.onnx");
}

// The job is asked for once: from then on its full id is used.
absl::StatusOr<Source> OpenJob(client::Client& client, CheckpointChoice choice,
                               const ExportFlags& flags) {
  RM_ASSIGN_OR_RETURN(const pb::Job job, client.Get(choice.job));
  choice.job = job.job_id();
  RM_ASSIGN_OR_RETURN(const int64_t step, FindStep(client, choice));
  Source source;
  source.name = job.job_id();
  source.model = job.spec().model();
  RM_ASSIGN_OR_RETURN(source.weights, TrainedWeights::Download(client, job.job_id(), step));
  if (flags.format == kOnnx && !source.model.onnx().empty()) {
    RM_ASSIGN_OR_RETURN(source.original, FetchOriginal(client, source.model.onnx()));
  }
  return source;
}

// What came from the storage has everything inside; a file here may have tensors beside it.
absl::StatusOr<ModelProto> MakeOnnx(Source& source) {
  const onnx::Weights weights = source.weights.Spans();
  if (source.original.has_graph()) {
    return model::ToOnnx(std::move(source.original), onnx::ExternalFiles(), weights);
  }
  return model::ToOnnx(source.model, base::PosixFileSystem(), weights);
}

// The tensors by the names of the job's parameters, and where they are from.
absl::Status WriteSafetensors(const Source& source, const std::string& path) {
  const tensorfile::Metadata metadata = {{kStepKey, absl::StrCat(source.weights.step())}};
  const std::vector<tensorfile::TensorData> tensors = source.weights.ForFile();
  RM_ASSIGN_OR_RETURN(const tensorfile::FileImage image, tensorfile::LayOut(tensors, metadata));
  std::string bytes = image.head;
  bytes.reserve(static_cast<size_t>(image.bytes));
  for (const absl::string_view piece : image.data) absl::StrAppend(&bytes, piece);
  return base::WriteFileAtomically(base::PosixFileSystem(), path, bytes);
}

// The source is used up: a model of gigabytes is not held twice.
absl::Status Write(Source& source, const ExportFlags& flags) {
  if (flags.format == kSafetensors) return WriteSafetensors(source, flags.file);
  const absl::StatusOr<ModelProto> model = MakeOnnx(source);
  if (!model.ok()) return model.status();
  return onnx::WriteModel(*model, flags.file, base::PosixFileSystem());
}

// "mnist.onnx: onnx, step 1000, 8 tensors, 4.5 MiB".
void Print(const Source& source, const ExportFlags& flags, const std::string& form) {
  const auto info = base::PosixFileSystem().Stat(flags.file);
  const auto bytes = info.ok() ? static_cast<int64_t>(info->bytes) : 0;
  const auto tensors = static_cast<int64_t>(source.weights.tensors().size());
  base::Json all;
  all.Set("file", flags.file).Set("format", flags.format).Set("step", source.weights.step());
  all.Set("tensors", tensors).Set("bytes", bytes);
  if (form == "json") {
    std::cout << all.Dump() << "\n";
  } else if (form == "yaml") {
    std::cout << ToYamlText(all);
  } else if (form == "name") {
    std::cout << flags.file << "\n";
  } else {
    std::cout << flags.file << ": " << flags.format << ", step " << source.weights.step() << ", "
              << tensors << " tensors, " << base::FormatBytes(bytes) << "\n";
  }
}

// By the file's name where it tells, else ONNX.
std::string FormatOf(const ExportFlags& flags) {
  if (!flags.format.empty()) return flags.format;
  return absl::EndsWith(flags.file, ".safetensors") ? kSafetensors : kOnnx;
}

// Everything but the writing has its exit code from here; 0 when `source` is there.
int Open(const std::string& word, const CommonFlags& common, const ExportFlags& flags,
         Session& session, Source* source) {
  if (IsPath(word)) {
    auto opened = OpenFolder(word, flags);
    if (!opened.ok()) return Complain(opened.status());
    *source = *std::move(opened);
    return kDone;
  }
  if (!flags.model.empty()) {
    return Complain(absl::InvalidArgumentError("--model is for a path; a job knows its model"));
  }
  const auto choice = ParseCheckpointChoice(word);
  if (!choice.ok()) return Complain(choice.status());
  const auto client = session.Connect(common);
  if (!client.ok()) return Complain(client.status());
  auto opened = OpenJob(**client, *choice, flags);
  if (!opened.ok()) return ComplainOfJob(opened.status());
  *source = *std::move(opened);
  return kDone;
}

}  // namespace

int RunModelExport(const Command& command, const Words& words) {
  CommandLine line(command, /*output_is_a_file=*/true);
  ExportFlags flags;
  line.flags().Choice("format", {kOnnx, kSafetensors},
                      "what is written (default: what the file's name says, else onnx)",
                      &flags.format);
  line.flags().Text("output", "FILE", "the file to write (default: the job's id, or 'model')",
                    &flags.file);
  line.flags().Text("model", "MODEL",
                    "the graph of a path's weights: JOB.yaml, zoo:NAME or FILE.onnx (default: the job's)",
                    &flags.model);
  line.flags().Switch("force", "replace the file if it is there", &flags.force);
  line.flags().Letter('f', "force");
  if (!line.Parse(words, 1, 1)) return line.exit_code();
  flags.format = FormatOf(flags);
  const std::string& word = line.positional(0);
  // Without a name of its own the file's depends on the job's full id, which is not known yet.
  const bool is_named = !flags.file.empty();
  if (is_named) {
    const absl::Status target = CheckTarget(flags.file, flags.force);
    if (!target.ok()) return Complain(LocalError(target));
  }
  Session session;
  Source source;
  const int opened = Open(word, line.common(), flags, session, &source);
  if (opened != kDone) return opened;
  if (!is_named) {
    flags.file = absl::StrCat(source.name.empty() ? "model" : source.name, ".", flags.format);
    const absl::Status target = CheckTarget(flags.file, flags.force);
    if (!target.ok()) return Complain(LocalError(target));
  }
  const absl::Status written = Write(source, flags);
  // Weights that do not fit the model are no mistake of the command line.
  if (!written.ok()) return Complain(absl::InternalError(written.message()));
  Print(source, flags, line.common().output);
  return kDone;
}

}  // namespace rm::trainctl
