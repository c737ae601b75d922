#include "runtime/tensorfile/safetensors.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cstring>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/memory_file_system.h"
#include "base/random.h"
#include "runtime/tensorfile/header.h"

namespace rm::tensorfile {
namespace {

using base::MemoryFileSystem;

constexpr char kPath[] = "/model.safetensors";

// Tensors together with the memory they borrow.
struct Model {
  std::vector<std::string> memory;
  std::vector<TensorData> tensors;

  void Add(const std::string& name, const std::string& dtype, std::vector<int64_t> shape,
           base::RandomStream& random) {
    std::string bytes(static_cast<size_t>(*TensorBytes(dtype, shape)), '\0');
    for (char& byte : bytes) byte = static_cast<char>(random.NextBits());
    memory.push_back(std::move(bytes));
    tensors.push_back({name, dtype, std::move(shape), nullptr, memory.back().size()});
  }
  // Call when all are added: the memory moves no more.
  void Bind() {
    for (size_t i = 0; i < tensors.size(); ++i) tensors[i].data = memory[i].data();
  }
};

Model RandomModel(uint64_t seed) {
  const char* const dtypes[] = {"F32", "F64", "BF16", "U8", "I64", "BOOL"};
  base::RandomStream random(seed, 0);
  Model model;
  const uint64_t count = random.NextBelow(7);
  for (uint64_t i = 0; i < count; ++i) {
    std::vector<int64_t> shape;
    for (uint64_t d = random.NextBelow(4); d > 0; --d) {
      shape.push_back(static_cast<int64_t>(random.NextBelow(5)));
    }
    model.Add(absl::StrCat("layer", i, ".weight"), dtypes[random.NextBelow(6)], shape, random);
  }
  model.Bind();
  return model;
}

void Put(base::FileSystem& files, const std::string& bytes) {
  auto file = files.Create(kPath);
  REQUIRE(file.ok());
  REQUIRE((*file)->Append(bytes).ok());
  REQUIRE((*file)->Close().ok());
}

std::string Encode(absl::Span<const TensorData> tensors, const Metadata& metadata = {}) {
  MemoryFileSystem files;
  auto file = files.Create(kPath);
  REQUIRE(file.ok());
  REQUIRE(WriteSafetensors(tensors, metadata, **file).ok());
  return *files.ReadFile(kPath);
}

// A file with this header text and `data` bytes of zeros behind it.
std::string FileOf(const std::string& header, size_t data) {
  return absl::StrCat(EncodeLength(header.size()), header, std::string(data, '\0'));
}

absl::StatusOr<std::unique_ptr<SafetensorsFile>> Decode(MemoryFileSystem& files,
                                                        const std::string& bytes) {
  Put(files, bytes);
  return SafetensorsFile::Open(files, kPath);
}

void CheckHolds(const SafetensorsFile& file, const Model& model) {
  REQUIRE(file.tensors().size() == model.tensors.size());
  for (size_t i = 0; i < model.tensors.size(); ++i) {
    const TensorData& written = model.tensors[i];
    const TensorInfo* const found = file.Find(written.name);
    REQUIRE(found != nullptr);
    CHECK(found->dtype == written.dtype);
    CHECK(found->shape == written.shape);
    std::string bytes(static_cast<size_t>(found->bytes), '\0');
    REQUIRE(file.Read(*found, bytes.data()).ok());
    CHECK(bytes == model.memory[i]);
  }
}

TEST_CASE("what is written is read back, for generated models") {
  for (uint64_t seed = 0; seed < 200; ++seed) {
    CAPTURE(seed);
    const Model model = RandomModel(seed);
    MemoryFileSystem files;
    const auto file = Decode(files, Encode(model.tensors, {{"seed", absl::StrCat(seed)}}));
    REQUIRE(file.ok());
    CheckHolds(**file, model);
    CHECK((*file)->metadata() == Metadata{{"seed", absl::StrCat(seed)}});
  }
}

TEST_CASE("a file is laid out byte for byte as the format says") {
  const float values[] = {1.0F, -2.0F};
  const TensorData tensor{"w", "F32", {2}, values, sizeof(values)};
  const std::string header = R"({"w":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})";
  const std::string padded = header + std::string(56 - header.size(), ' ');
  REQUIRE(header.size() == 54);
  CHECK(Encode({tensor}) ==
        std::string("\x38\0\0\0\0\0\0\0", 8) + padded + std::string("\0\0\x80\x3f\0\0\0\xc0", 8));
}

TEST_CASE("the data begins aligned, and every tensor is aligned to its own elements") {
  for (uint64_t seed = 0; seed < 50; ++seed) {
    CAPTURE(seed);
    MemoryFileSystem files;
    const auto file = Decode(files, Encode(RandomModel(seed).tensors));
    REQUIRE(file.ok());
    for (const TensorInfo& tensor : (*file)->tensors()) {
      CHECK(tensor.offset % ElementBytes(tensor.dtype) == 0);
    }
  }
}

TEST_CASE("tensors are listed in the order of their data, and the header in the same order") {
  base::RandomStream random(1, 1);
  Model model;
  model.Add("bytes", "U8", {3}, random);
  model.Add("floats", "F32", {2}, random);
  model.Add("more.floats", "F32", {1}, random);
  model.Add("longs", "I64", {1}, random);
  model.Bind();
  MemoryFileSystem files;
  const std::string encoded = Encode(model.tensors);
  const auto file = Decode(files, encoded);
  REQUIRE(file.ok());
  std::vector<std::string> names;
  std::vector<size_t> places;
  for (const TensorInfo& tensor : (*file)->tensors()) {
    names.push_back(tensor.name);
    places.push_back(encoded.find(absl::StrCat("\"", tensor.name, "\"")));
  }
  CHECK(names == std::vector<std::string>{"longs", "floats", "more.floats", "bytes"});
  CHECK(std::is_sorted(places.begin(), places.end()));
}

TEST_CASE("the image of a file borrows the tensors' memory") {
  base::RandomStream random(2, 2);
  Model model;
  model.Add("w", "F32", {1000}, random);
  model.Bind();
  const auto image = LayOut(model.tensors);
  REQUIRE(image.ok());
  REQUIRE(image->data.size() == 1);
  CHECK(image->data[0].data() == model.memory[0].data());
  CHECK(image->bytes == image->head.size() + 4000);
}

TEST_CASE("no tensors at all make a valid file") {
  MemoryFileSystem files;
  const auto file = Decode(files, Encode({}));
  REQUIRE(file.ok());
  CHECK((*file)->tensors().empty());
  CHECK((*file)->Find("w") == nullptr);
}

TEST_CASE("names of any UTF-8 survive") {
  for (const std::string name : {"", "a\"b\\c", "schicht/größe", "\n\t", "data_offsets"}) {
    CAPTURE(name);
    const char byte = 7;
    MemoryFileSystem files;
    const auto file = Decode(files, Encode({TensorData{name, "U8", {}, &byte, 1}}));
    REQUIRE(file.ok());
    CHECK((*file)->Find(name) != nullptr);
  }
}

TEST_CASE("tensors that cannot be written are refused with the reason") {
  const float value = 0;
  const TensorData good{"w", "F32", {1}, &value, 4};
  const struct {
    std::vector<TensorData> tensors;
    const char* message;
  } cases[] = {
      {{good, good}, "two tensors are called \"w\""},
      {{{"w", "F31", {1}, &value, 4}}, "tensor \"w\": unknown dtype 'F31'"},
      {{{"w", "F32", {2}, &value, 4}}, "tensor \"w\": F32 [2] has 8 bytes, not 4"},
      {{{"w", "F32", {-1}, &value, 4}}, "tensor \"w\": F32 [-1] has a negative dimension"},
      {{{"w", "F32", {int64_t{1} << 31, int64_t{1} << 31}, &value, 4}}, "larger than any memory"},
      {{{"__metadata__", "F32", {1}, &value, 4}}, "may not be called \"__metadata__\""},
      {{{"w\xff", "F32", {1}, &value, 4}}, "is not valid UTF-8"},
  };
  for (const auto& test : cases) {
    const auto image = LayOut(test.tensors);
    REQUIRE(absl::IsInvalidArgument(image.status()));
    CHECK_THAT(std::string(image.status().message()), Catch::Contains(test.message));
  }
}

TEST_CASE("a full disk is told, not swallowed") {
  base::RandomStream random(3, 3);
  Model model;
  model.Add("w", "F32", {100}, random);
  model.Bind();
  MemoryFileSystem files;
  files.SetCapacity(200);
  auto file = files.Create(kPath);
  REQUIRE(file.ok());
  CHECK(absl::IsResourceExhausted(WriteSafetensors(model.tensors, {}, **file)));
}

TEST_CASE("files that break the format are refused with place and reason") {
  const std::string w = R"("w":{"dtype":"F32","shape":[2],"data_offsets":[0,8]})";
  const struct {
    std::string bytes;
    const char* message;
  } cases[] = {
      {"", "has 0 bytes; the header's length alone takes 8"},
      {"\x08\0\0", "bytes; the header's length alone takes 8"},
      {EncodeLength(10), "claims a header of 10 bytes, but only 0 follow"},
      {EncodeLength(~uint64_t{0}), "the format allows 100000000"},
      {EncodeLength(kHeaderBytesMax + 1) + "{}", "claims a header of 100000001 bytes"},
      {FileOf("", 0), "does not begin with '{'"},
      {FileOf(" {}", 0), "does not begin with '{'"},
      {FileOf("{", 0), "header: "},
      {FileOf("{}x", 0), "header: "},
      {FileOf("{}", 1), "tensors end at byte 10, the file at 11"},
      {FileOf("{" + w + "}", 7), "ends at 8, but the file has 7 bytes of data"},
      {FileOf("{" + w + "}", 9), "the file at"},
      {FileOf("{" + w + "," + w + "}", 8), "duplicate key"},
      {FileOf(R"({"w":3})", 0), "tensor \"w\": has no dtype"},
      {FileOf(R"({"w":{"dtype":"F32","data_offsets":[0,4]}})", 4), "has no list shape"},
      {FileOf(R"({"w":{"dtype":"F32","shape":[1]}})", 4), "has no list data_offsets"},
      {FileOf(R"({"w":{"dtype":"F32","shape":[1],"data_offsets":[0]}})", 4), "not [begin, end]"},
      {FileOf(R"({"w":{"dtype":"F32","shape":[1],"data_offsets":[4,0]}})", 4), "not [begin, end]"},
      {FileOf(R"({"w":{"dtype":"F32","shape":[1.5],"data_offsets":[0,4]}})", 4),
       "shape holds 1.5, not a whole number"},
      {FileOf(R"({"w":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}})", 4), "holds -1"},
      {FileOf(R"({"w":{"dtype":"F99","shape":[1],"data_offsets":[0,4]}})", 4), "unknown dtype"},
      {FileOf(R"({"w":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}})", 4),
       "F32 [2] needs 8 bytes, data_offsets give it 4"},
      {FileOf(R"({"w":{"dtype":"F32","shape":[9223372036854775807,4],"data_offsets":[0,4]}})", 4),
       "larger than any memory"},
      {FileOf(R"({"w":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}})", 2), "leaving a hole"},
      {FileOf(R"({"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},)"
              R"("b":{"dtype":"U8","shape":[2],"data_offsets":[1,3]}})", 3),
       "within the one before"},
      {FileOf(R"({"__metadata__":[]})", 0), "__metadata__ is no object"},
      {FileOf(R"({"__metadata__":{"epoch":3}})", 0), "__metadata__ \"epoch\" is no string"},
      {FileOf("{\"w\":" + std::string(1000, '[') + std::string(1000, ']') + "}", 0), "header: "},
  };
  for (const auto& test : cases) {
    CAPTURE(test.message);
    MemoryFileSystem files;
    const auto file = Decode(files, test.bytes);
    REQUIRE(absl::IsDataLoss(file.status()));
    CHECK_THAT(std::string(file.status().message()),
               Catch::StartsWith(kPath) && Catch::Contains(test.message));
  }
}

TEST_CASE("what other writers do within the format is read: padding, any order, empty tensors") {
  const std::string header =
      R"({"b":{"data_offsets":[1,2],"shape":[],"dtype":"U8"},)"
      R"("empty":{"dtype":"F32","shape":[3,0],"data_offsets":[1,1]},)"
      R"("a":{"dtype":"U8","shape":[1,1],"data_offsets":[0,1]}}      )";
  MemoryFileSystem files;
  const auto file = Decode(files, FileOf(header, 2));
  REQUIRE(file.ok());
  REQUIRE((*file)->tensors().size() == 3);
  CHECK((*file)->tensors()[0].name == "a");
  CHECK((*file)->Find("empty")->bytes == 0);
  CHECK((*file)->Find("b")->shape.empty());
}

TEST_CASE("a missing file is NotFound") {
  MemoryFileSystem files;
  CHECK(absl::IsNotFound(SafetensorsFile::Open(files, kPath).status()));
}

TEST_CASE("a file of the reference implementation is read") {
  // What safetensors.numpy.save gives for {"a": int64 [1, 2], "b": float32 [[1.5]]} with the
  // metadata {"format": "np"}: metadata first, larger elements first, the header padded with
  // spaces.
  const std::string header =
      R"({"__metadata__":{"format":"np"},"a":{"dtype":"I64","shape":[2],"data_offsets":[0,16]},)"
      R"("b":{"dtype":"F32","shape":[1,1],"data_offsets":[16,20]}})";
  std::string padded = header;
  padded.resize((header.size() + 7) / 8 * 8, ' ');
  const std::string data("\x01\0\0\0\0\0\0\0\x02\0\0\0\0\0\0\0\0\0\xc0\x3f", 20);
  MemoryFileSystem files;
  const auto file = Decode(files, absl::StrCat(EncodeLength(padded.size()), padded, data));
  REQUIRE(file.ok());
  CHECK((*file)->metadata() == Metadata{{"format", "np"}});
  int64_t a[2] = {};
  REQUIRE((*file)->Find("a")->bytes == sizeof(a));
  REQUIRE((*file)->Read(*(*file)->Find("a"), a).ok());
  CHECK(a[0] == 1);
  CHECK(a[1] == 2);
  float b = 0;
  REQUIRE((*file)->Read(*(*file)->Find("b"), &b).ok());
  CHECK(b == 1.5F);
  // And it is what we write for the same tensors, byte for byte.
  const TensorData tensors[] = {{"b", "F32", {1, 1}, &b, 4}, {"a", "I64", {2}, a, 16}};
  CHECK(Encode(tensors, {{"format", "np"}}) ==
        absl::StrCat(EncodeLength(padded.size()), padded, data));
}

TEST_CASE("a file that shrinks after it was opened is an error at the read, not a surprise") {
  base::RandomStream random(9, 9);
  Model model;
  model.Add("w", "F32", {100}, random);
  model.Bind();
  MemoryFileSystem files;
  const std::string bytes = Encode(model.tensors);
  const auto file = Decode(files, bytes);
  REQUIRE(file.ok());
  Put(files, bytes.substr(0, bytes.size() - 1));
  std::string content(400, '\0');
  CHECK(absl::IsOutOfRange((*file)->Read(*(*file)->Find("w"), content.data())));
}

TEST_CASE("many tensors are laid out and found") {
  base::RandomStream random(10, 10);
  Model model;
  for (int i = 0; i < 2000; ++i) {
    model.Add(absl::StrCat("block", i / 10, ".layer", i % 10), i % 3 == 0 ? "BF16" : "F32",
              {1 + i % 7}, random);
  }
  model.Bind();
  MemoryFileSystem files;
  const auto file = Decode(files, Encode(model.tensors));
  REQUIRE(file.ok());
  CheckHolds(**file, model);
  CHECK((*file)->Find("block200.layer0") == nullptr);
}

// Whatever a damaged header says, reading ends with an error or with tensors that lie inside the
// file.
void CheckHarmless(const std::string& bytes) {
  MemoryFileSystem files;
  const auto file = Decode(files, bytes);
  if (!file.ok()) {
    CHECK(absl::IsDataLoss(file.status()));
    return;
  }
  for (const TensorInfo& tensor : (*file)->tensors()) {
    REQUIRE(tensor.offset + tensor.bytes <= bytes.size());
    std::string content(static_cast<size_t>(tensor.bytes), '\0');
    CHECK((*file)->Read(tensor, content.data()).ok());
  }
}

TEST_CASE("no single flipped bit of the header does harm") {
  const std::string whole = Encode(RandomModel(5).tensors, {{"key", "value"}});
  const size_t head = static_cast<size_t>(DecodeLength(whole.data())) + kLengthBytes;
  for (size_t bit = 0; bit < head * 8; ++bit) {
    std::string damaged = whole;
    damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << (bit % 8)));
    CheckHarmless(damaged);
  }
}

TEST_CASE("no truncation and no random edit does harm") {
  base::RandomStream random(7, 0);
  for (uint64_t seed = 0; seed < 30; ++seed) {
    const std::string whole = Encode(RandomModel(seed).tensors);
    for (size_t size = 0; size < whole.size(); size += 3) CheckHarmless(whole.substr(0, size));
    for (int edit = 0; edit < 100; ++edit) {
      std::string damaged = whole;
      for (uint64_t i = random.NextBelow(4); i < 4; ++i) {
        damaged[random.NextBelow(damaged.size())] = "{}[]\",:0179-e "[random.NextBelow(14)];
      }
      CheckHarmless(damaged);
    }
  }
}

}  // namespace
}  // namespace rm::tensorfile
