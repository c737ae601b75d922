#include "runtime/coordinator/artifacts_api.h"

#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/memory_file_system.h"
#include "proto/error_details.pb.h"
#include "runtime/coordinator/spec_errors.h"

namespace rm::coordinator {
namespace {

namespace pb = ::ringmaster::v1;

const std::string kContent(100'000, 'w');
const std::string kDigest = base::Sha256Hex(kContent);
const std::string kOther = base::Sha256Hex("other");

struct World {
  base::MemoryFileSystem files;
  ArtifactStore store{"/storage/artifacts", "00000000000000aa", files};

  World() { REQUIRE(files.MakeFolders("/storage").ok()); }
  void Put() {
    auto upload = store.Begin(kDigest, static_cast<int64_t>(kContent.size()));
    REQUIRE((*upload)->Append(kContent).ok());
    REQUIRE((*upload)->Finish().ok());
  }
};

pb::UploadArtifactRequest First(const std::string& sha256, size_t bytes, const std::string& data) {
  pb::UploadArtifactRequest message;
  message.set_sha256(sha256);
  message.set_bytes(static_cast<int64_t>(bytes));
  message.set_data(data);
  return message;
}

pb::UploadArtifactRequest Piece(const std::string& data) { return First("", 0, data); }

TEST_CASE("an upload comes in pieces, and is there when it is answered") {
  World world;
  UploadCall call(world.store);
  CHECK_FALSE(call.Take(First(kDigest, kContent.size(), "")).value());
  CHECK_FALSE(call.Take(Piece(kContent.substr(0, 60'000))).value());
  CHECK_FALSE(world.store.Has(kDigest));
  CHECK_FALSE(call.Take(Piece(kContent.substr(60'000))).value());
  CHECK(call.End().value().path() == "/storage/artifacts/" + kDigest);
  CHECK(world.store.Has(kDigest));
}

TEST_CASE("of what is there already, not a byte is asked for") {
  World world;
  world.Put();
  UploadCall call(world.store);
  CHECK(call.Take(First(kDigest, kContent.size(), "")).value());
  CHECK(call.End().value().path() == "/storage/artifacts/" + kDigest);
}

TEST_CASE("what is no upload is refused, and leaves nothing") {
  World world;
  CHECK(absl::IsInvalidArgument(UploadCall(world.store).End().status()));
  for (const pb::UploadArtifactRequest& message :
       {Piece("no head"), First("abc", 3, ""), First(kDigest, 3, "four"),
        First(kDigest, 5 << 20, std::string(UploadCall::kPieceBytesMax + 1, 'x'))}) {
    UploadCall call(world.store);
    CHECK(absl::IsInvalidArgument(call.Take(message).status()));
  }
  {
    UploadCall call(world.store);
    REQUIRE(call.Take(First(kDigest, kContent.size(), "only a part")).ok());
    CHECK(absl::IsInvalidArgument(call.End().status()));
  }
  CHECK(world.files.List("/storage/artifacts").value().empty());
}

TEST_CASE("what is missing is said once each, in the order asked") {
  World world;
  world.Put();
  pb::HasArtifactsRequest request;
  for (const std::string& sha256 : {kOther, kDigest, kOther}) request.add_sha256(sha256);
  const auto reply = HasArtifacts(world.store, request);
  REQUIRE(reply.ok());
  REQUIRE(reply->missing_size() == 1);
  CHECK(reply->missing(0) == kOther);

  request.add_sha256("../passwd");
  CHECK(absl::IsInvalidArgument(HasArtifacts(world.store, request).status()));
  pb::HasArtifactsRequest many;
  for (int i = 0; i < 1001; ++i) many.add_sha256(kDigest);
  CHECK(absl::IsInvalidArgument(HasArtifacts(world.store, many).status()));
}

pb::SubmitRequest RequestWith(const std::string& weights) {
  pb::SubmitRequest request;
  request.mutable_spec()->mutable_model()->set_weights(weights);
  pb::SourcePosition& position = *request.add_source_positions();
  position.set_field_path("model.weights");
  position.set_line(4);
  position.set_column(3);
  return request;
}

TEST_CASE("an artifact's name in a job becomes its path, and a path stays") {
  World world;
  world.Put();
  pb::SubmitRequest named = RequestWith(absl::StrCat("artifact:", kDigest));
  REQUIRE(ResolveArtifacts(world.store, &named).ok());
  CHECK(named.spec().model().weights() == "/storage/artifacts/" + kDigest);
  for (const char* const weights : {"", "/data/base.safetensors", "artifacts/x"}) {
    pb::SubmitRequest other = RequestWith(weights);
    REQUIRE(ResolveArtifacts(world.store, &other).ok());
    CHECK(other.spec().model().weights() == weights);
  }
  pb::SubmitRequest empty;
  CHECK(ResolveArtifacts(world.store, &empty).ok());
  CHECK_FALSE(empty.has_spec());
}

TEST_CASE("a job that names what was not uploaded is refused, with the place in its file") {
  World world;
  struct Case {
    std::string weights;
    std::string message;
  };
  for (const Case& c : {Case{"artifact:" + kOther, "4:3: no artifact " + kOther + " was uploaded"},
                        Case{"artifact:", "4:3: 'artifact:' must be followed by"},
                        Case{"artifact:../../x", "4:3: 'artifact:' must be followed by"}}) {
    pb::SubmitRequest request = RequestWith(c.weights);
    const absl::Status status = ResolveArtifacts(world.store, &request);
    CHECK(absl::IsInvalidArgument(status));
    const auto payload = status.GetPayload(kBadRequestUrl);
    REQUIRE(payload.has_value());
    pb::BadRequest details;
    REQUIRE(details.ParseFromString(std::string(*payload)));
    REQUIRE(details.field_violations_size() == 1);
    CHECK(details.field_violations(0).field() == "model.weights");
    CHECK(absl::StartsWith(details.field_violations(0).description(), c.message));
  }
}

TEST_CASE("an artifact comes back as it went in, whatever its size") {
  World world;
  for (const size_t size : {size_t{0}, size_t{100}, UploadCall::kPieceBytesMax + 1}) {
    const std::string content(size, 'w');
    const std::string sha256 = base::Sha256Hex(content);
    auto upload = world.store.Begin(sha256, static_cast<int64_t>(size));
    REQUIRE((*upload)->Append(content).ok());
    REQUIRE((*upload)->Finish().ok());
    const auto download = ArtifactDownload::Open(world.store, world.files, sha256);
    REQUIRE(download.ok());
    std::string came;
    pb::DownloadArtifactReply message;
    while ((*download)->Next(&message).value()) {
      CHECK(message.data().size() <= UploadCall::kPieceBytesMax);
      came += message.data();
    }
    CHECK(came == content);
  }
}

TEST_CASE("what was never uploaded cannot be fetched") {
  const World world;
  CHECK(absl::IsNotFound(ArtifactDownload::Open(world.store, world.files, kOther).status()));
  CHECK(absl::IsInvalidArgument(
      ArtifactDownload::Open(world.store, world.files, "../journal.db").status()));
}

}  // namespace
}  // namespace rm::coordinator
