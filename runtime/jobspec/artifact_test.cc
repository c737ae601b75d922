// Files that go with a job, from a path in the job file to a name by content.
#include <catch2/catch.hpp>

#include "absl/strings/str_cat.h"
#include "runtime/jobspec/jobspec.h"
#include "runtime/jobspec/testing.h"

namespace rm::jobspec {
namespace {

const std::string kDigest(64, 'c');

// A job whose first weights come from `weights`.
ParseResult ParseWith(const std::string& weights) {
  return Parse(Edited(SmallJob(), {{"zoo: mlp", absl::StrCat("zoo: mlp\n  weights: ", weights)}}));
}

TEST_CASE("a name of an artifact holds its digest, and anything else is a path") {
  CHECK(ArtifactName(kDigest) == absl::StrCat("artifact:", kDigest));
  CHECK(DigestOfArtifact(ArtifactName(kDigest)) == kDigest);
  const std::string others[] = {"",
                                "artifact:",
                                "weights.safetensors",
                                kDigest,
                                absl::StrCat("artifact:", kDigest, "0"),
                                absl::StrCat("artifact:", std::string(64, 'C')),
                                absl::StrCat("artifact:", std::string(63, '0'), "/"),
                                absl::StrCat("Artifact:", kDigest)};
  for (const std::string& text : others) {
    CAPTURE(text);
    CHECK(DigestOfArtifact(text).empty());
  }
}

TEST_CASE("a path of weights is made absolute, is to be uploaded, and gives way to its name") {
  ParseResult result = ParseWith("../base.safetensors");
  REQUIRE(result.ok());
  CHECK(FilesToUpload(result.spec) == std::vector<std::string>{"model.weights"});
  MakePathsAbsolute(&result.spec, "/home/ada/jobs");
  CHECK(FileAt(result.spec, "model.weights") == "/home/ada/base.safetensors");
  SetFileAt("model.weights", ArtifactName(kDigest), &result.spec);
  CHECK(result.spec.model().weights() == absl::StrCat("artifact:", kDigest));
  CHECK(FilesToUpload(result.spec).empty());
  CHECK(Validate(result.spec).empty());
  SECTION("which is not taken for a path again") {
    MakePathsAbsolute(&result.spec, "/elsewhere");
    CHECK(result.spec.model().weights() == ArtifactName(kDigest));
    CHECK(Parse(ToYaml(result.spec)).spec.model().weights() == ArtifactName(kDigest));
  }
}

TEST_CASE("a job without such a file uploads nothing") {
  CHECK(FilesToUpload(Parse(SmallJob()).spec).empty());
  const ParseResult named = ParseWith(ArtifactName(kDigest));
  CHECK(named.ok());
  CHECK(FilesToUpload(named.spec).empty());
  CHECK(UploadedFiles(named.spec) == std::vector<std::string>{"model.weights"});
  CHECK(UploadedFiles(Parse(SmallJob()).spec).empty());
}

TEST_CASE("a name that holds no digest is refused at its place") {
  for (const char* const weights : {"'artifact:'", "artifact:abc", "artifact:../../etc/passwd"}) {
    const ParseResult result = ParseWith(weights);
    CAPTURE(weights);
    REQUIRE(result.errors.size() == 1);
    CHECK(result.errors[0].line == 6);
    CHECK(result.errors[0].message ==
          "'model.weights': 'artifact:' must be followed by the 64 hex digits of a SHA-256");
  }
}

}  // namespace
}  // namespace rm::jobspec
