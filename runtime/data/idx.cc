#include "runtime/data/idx.h"

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "base/status.h"
#include "runtime/data/byte_stream.h"

namespace rm::data {
namespace {

constexpr uint64_t kMagicBytes = 4;
constexpr uint64_t kDimensionBytes = 4;
constexpr uint32_t kUnsignedByte = 0x08;

// One IDX file of bytes.
struct IdxArray {
  std::string path;
  std::vector<int64_t> shape;  // each ≥ 1
  std::vector<uint8_t> bytes;  // row-major

  [[nodiscard]] uint64_t header_bytes() const {
    return kMagicBytes + kDimensionBytes * shape.size();
  }
};

// The numbers of the header, on any machine.
uint32_t BigEndian(const char* bytes) {
  uint32_t value = 0;
  for (int i = 0; i < 4; ++i) value = value << 8 | static_cast<uint8_t>(bytes[i]);
  return value;
}

// All that is wrong with a file names it, compressed or not, by the name it has on disk.
absl::Status Malformed(const ByteStream& stream, absl::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat(stream.path(), ": ", what));
}

// Reads exactly `size` bytes of the header.
absl::StatusOr<std::string> ReadHeaderBytes(ByteStream& stream, uint64_t offset, uint64_t size) {
  std::string bytes(static_cast<size_t>(size), '\0');
  RM_ASSIGN_OR_RETURN(const uint64_t found, stream.Read(size, bytes.data()));
  if (found == size) return bytes;
  return Malformed(stream, absl::StrCat("ends at offset ", offset + found,
                                        ", within the header of ", offset + size, " bytes"));
}

// Magic number and dimensions. A dimension of 0 is refused: a data set without samples, or with
// empty ones, trains nothing.
absl::StatusOr<std::vector<int64_t>> ReadShape(ByteStream& stream, size_t dimensions) {
  const uint32_t magic = kUnsignedByte << 8 | static_cast<uint32_t>(dimensions);
  RM_ASSIGN_OR_RETURN(const std::string head, ReadHeaderBytes(stream, 0, kMagicBytes));
  if (BigEndian(head.data()) != magic) {
    return Malformed(stream, absl::StrFormat("is no IDX file of bytes with %d dimension(s): its "
                                             "magic number at offset 0 is 0x%08x, not 0x%08x",
                                             dimensions, BigEndian(head.data()), magic));
  }
  RM_ASSIGN_OR_RETURN(const std::string sizes,
                      ReadHeaderBytes(stream, kMagicBytes, kDimensionBytes * dimensions));
  std::vector<int64_t> shape;
  for (size_t i = 0; i < dimensions; ++i) {
    shape.push_back(BigEndian(sizes.data() + kDimensionBytes * i));
    if (shape.back() == 0) {
      return Malformed(stream, absl::StrCat("dimension ", i, " at offset ",
                                            kMagicBytes + kDimensionBytes * i, " is 0"));
    }
  }
  return shape;
}

// Bytes that the shape needs, or the largest uint64 when that does not hold them.
uint64_t BytesOf(const std::vector<int64_t>& shape) {
  uint64_t bytes = 1;
  for (const int64_t size : shape) {
    if (__builtin_mul_overflow(bytes, static_cast<uint64_t>(size), &bytes)) return ~uint64_t{0};
  }
  return bytes;
}

// The one sentence for files that are too short or too long, with both numbers.
absl::Status WrongLength(const ByteStream& stream, const IdxArray& array, absl::string_view found) {
  return Malformed(stream, absl::StrCat("expected ", BytesOf(array.shape), " bytes of data (",
                                        absl::StrJoin(array.shape, " × "), ") after the header of ",
                                        array.header_bytes(), " bytes, found ", found));
}

// Reads the data, and checks that it is as long as the header says. Memory grows with what is
// really there, so a header that lies costs nothing.
absl::Status ReadData(ByteStream& stream, IdxArray& array) {
  constexpr uint64_t kPieceBytes = uint64_t{16} << 20;
  const uint64_t expected = BytesOf(array.shape);
  array.bytes.reserve(static_cast<size_t>(std::min(expected, stream.bytes_max())));
  while (array.bytes.size() < expected) {
    const uint64_t before = array.bytes.size();
    const uint64_t wanted = std::min({expected - before, kPieceBytes, stream.bytes_max()});
    array.bytes.resize(static_cast<size_t>(before + wanted));
    char* const destination = reinterpret_cast<char*>(array.bytes.data() + before);
    RM_ASSIGN_OR_RETURN(const uint64_t found, stream.Read(wanted, destination));
    if (found < wanted) return WrongLength(stream, array, absl::StrCat(before + found));
  }
  char beyond = 0;
  RM_ASSIGN_OR_RETURN(const uint64_t more, stream.Read(1, &beyond));
  if (more > 0) return WrongLength(stream, array, "more");
  return absl::OkStatus();
}

// One file, read and checked from its first byte to its last.
absl::StatusOr<IdxArray> ReadIdx(const base::FileSystem& files, const std::string& path,
                                 size_t dimensions) {
  RM_ASSIGN_OR_RETURN(const auto stream, OpenPlainOrGzip(files, path));
  IdxArray array;
  array.path = stream->path();
  RM_ASSIGN_OR_RETURN(array.shape, ReadShape(*stream, dimensions));
  RM_RETURN_IF_ERROR(ReadData(*stream, array));
  return array;
}

// Images and labels as they are in the files; floats are made when a sample is read.
class IdxDataset final : public Dataset {
 public:
  // `input`: the name of the model's; bytes become float32 whatever its type.
  IdxDataset(IdxArray images, IdxArray labels, const std::string& input, BadRecords bad_records)
      : Dataset(std::move(bad_records)),
        images_(std::move(images)),
        labels_(std::move(labels)),
        sample_elements_(images_.shape[1] * images_.shape[2]) {
    layout_.inputs = {
        {input, kernels::DType::kFloat32, {1, images_.shape[1], images_.shape[2]}, 0}};
    for (size_t i = 0; i < labels_.bytes.size(); ++i) {
      if (this->bad_records().Has(static_cast<int64_t>(i))) continue;
      layout_.classes = std::max(layout_.classes, int64_t{labels_.bytes[i]} + 1);
    }
  }

  int64_t size() const override { return images_.shape[0]; }
  const SampleLayout& layout() const override { return layout_; }

  void ReadRow(int64_t index, int64_t row, const BatchMemory& memory) const override {
    const uint8_t* const pixels = images_.bytes.data() + index * sample_elements_;
    auto* const features = RowOf<float>(memory.inputs[0], row, sample_elements_);
    // A division, not a product with 1/255: the same bits as other frameworks' scaling.
    for (int64_t i = 0; i < sample_elements_; ++i) {
      features[i] = static_cast<float>(pixels[i]) / 255.0F;
    }
    *RowOf<int64_t>(memory.target, row, 1) = labels_.bytes[static_cast<size_t>(index)];
  }

 private:
  const IdxArray images_;  // (n, height, width)
  const IdxArray labels_;  // (n)
  const int64_t sample_elements_;
  SampleLayout layout_;
};

// Labels that the model has no class for: the only thing that can be wrong with a byte.
BadRecords FindBadLabels(const IdxArray& labels, const SampleLayout& model) {
  BadRecords bad;
  const int64_t classes = model.classes;
  if (classes <= 0) return bad;
  for (size_t i = 0; i < labels.bytes.size(); ++i) {
    if (int64_t{labels.bytes[i]} < classes) continue;
    const auto sample = static_cast<int64_t>(i);
    if (!bad.WantsDescription()) {
      bad.AddUndescribed(sample);
      continue;
    }
    BadRecord record;
    record.sample = sample;
    record.file = labels.path;
    record.offset = static_cast<int64_t>(labels.header_bytes() + i);
    record.field = "label";
    record.value = absl::StrCat(int{labels.bytes[i]});
    record.reason = LabelOutOfRange(model);
    bad.Add(std::move(record));
  }
  return bad;
}

}  // namespace

// Two files that belong together have as many images as labels.
absl::StatusOr<std::unique_ptr<Dataset>> OpenIdx(const pb::DataSource& source,
                                                 const base::FileSystem& files,
                                                 const DatasetOptions& options) {
  RM_ASSIGN_OR_RETURN(IdxArray images, ReadIdx(files, source.path() + "-images-idx3-ubyte", 3));
  RM_ASSIGN_OR_RETURN(IdxArray labels, ReadIdx(files, source.path() + "-labels-idx1-ubyte", 1));
  if (images.shape[0] != labels.shape[0]) {
    return absl::InvalidArgumentError(absl::StrCat(images.path, " has ", images.shape[0],
                                                   " images, but ", labels.path, " has ",
                                                   labels.shape[0], " labels"));
  }
  BadRecords bad = FindBadLabels(labels, options.model);
  return std::make_unique<IdxDataset>(std::move(images), std::move(labels),
                                      FirstInput(options).name, std::move(bad));
}

}  // namespace rm::data
