// The job file: YAML text to a JobSpec, every error at once and with its place.
//
//   ParseResult result = Parse(text, {"train.steps=10"});
//   for (const Diagnostic& error : result.errors) std::cerr << Render(error, "job.yaml", text) <<
//   "\n";
//
// Which keys exist, their types, ranges and defaults is one table (runtime/jobspec/key_table.h). A
// key of a later version is refused by name, never silently accepted. This folder is the only code
// that knows YAML. All functions are pure and thread-safe; no input, however broken, makes them
// crash or hang.
#ifndef RM_RUNTIME_JOBSPEC_JOBSPEC_H_
#define RM_RUNTIME_JOBSPEC_JOBSPEC_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "proto/job.pb.h"
#include "runtime/jobspec/diagnostic.h"

namespace rm::jobspec {

namespace pb = ::ringmaster::v1;

struct ParseResult {
  // Defaults applied; to be used only when ok().
  pb::JobSpec spec;
  // Of every field and section in the file.
  std::vector<pb::SourcePosition> positions;
  // By place in the file; at most kErrorsMax.
  std::vector<Diagnostic> errors;
  [[nodiscard]] bool ok() const { return errors.empty(); }
};

// More errors than this help nobody; the last one then says how many were left out.
inline constexpr int kErrorsMax = 50;

// Reads a job file of at most 1 MiB, then validates it. `overrides` are "field.path=value"
// (trainctl's --set), applied in order on top of the file; the value is YAML, an empty one removes
// the field, and giving one of a pair of fields that exclude each other (train.steps, train.epochs)
// removes the other. Their errors begin with "--set field.path=value: ".
[[nodiscard]] ParseResult Parse(absl::string_view yaml,
                                absl::Span<const std::string> overrides = {});

// Everything that can be said of a spec without looking at the world: required fields, ranges,
// choices, and relations between fields. Parse calls it; the coordinator calls it on specs that
// came through the API, with the positions the client sent (possibly none: then line and column are
// 0). Parameters of a zoo model are the model's to judge.
[[nodiscard]] std::vector<Diagnostic> Validate(
    const pb::JobSpec& spec, absl::Span<const pb::SourcePosition> positions = {});

// Fills what a spec made without the parser leaves out, where "nothing" cannot be meant: empty
// strings, and numbers whose range excludes 0. (A priority of 0 stays 0: proto3 does not tell it
// from "not given".) Idempotent.
void ApplyDefaults(pb::JobSpec* spec);

// Makes the paths that the user's machine gives meaning to (data, model.weights, checkpoint.path)
// absolute, against the job file's folder; names of artifacts stay. REQUIRES: `folder` is absolute.
void MakePathsAbsolute(pb::JobSpec* spec, absl::string_view folder);

// A file that was uploaded for jobs stands in a spec as "artifact:<64 hex digits of its SHA-256>",
// wherever a path of a file could stand that goes with the job (model.weights).
inline constexpr absl::string_view kArtifactPrefix = "artifact:";
// The name of the artifact with that digest.
[[nodiscard]] std::string ArtifactName(absl::string_view sha256);
// The digest that such a name holds; "" when `text` is a path.
[[nodiscard]] std::string DigestOfArtifact(absl::string_view text);
// The fields that name a file which goes with the job and was not uploaded yet: "model.weights".
[[nodiscard]] std::vector<std::string> FilesToUpload(const pb::JobSpec& spec);
// The fields that hold the name of an artifact, well-formed or not: what starts with the prefix.
[[nodiscard]] std::vector<std::string> UploadedFiles(const pb::JobSpec& spec);
// The path in such a field, and setting it to what takes its place. REQUIRES: one of the fields
// above.
[[nodiscard]] std::string FileAt(const pb::JobSpec& spec, absl::string_view field_path);
void SetFileAt(absl::string_view field_path, absl::string_view value, pb::JobSpec* spec);

// The spec as a job file: for ok() results, Parse(ToYaml(spec)).spec equals spec. Defaults are
// written out.
[[nodiscard]] std::string ToYaml(const pb::JobSpec& spec);

// Parts that exact mode cuts the global batch into: train.virtual_shards, or the least power of two
// that is no less than the ranks. 0 in fast mode.
[[nodiscard]] int64_t VirtualShards(const ringmaster::v1::JobSpec& spec);

}  // namespace rm::jobspec

#endif  // RM_RUNTIME_JOBSPEC_JOBSPEC_H_
