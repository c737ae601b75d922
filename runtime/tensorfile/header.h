// The fixed parts of a safetensors header, shared by its writer and its reader.
#ifndef RM_RUNTIME_TENSORFILE_HEADER_H_
#define RM_RUNTIME_TENSORFILE_HEADER_H_

#include <cstddef>
#include <cstdint>
#include <string>

namespace rm::tensorfile {

// The header's length: a little-endian uint64 before it.
inline constexpr size_t kLengthBytes = 8;
// What the format allows (MAX_HEADER_SIZE of the reference implementation).
inline constexpr uint64_t kHeaderBytesMax = 100'000'000;
// We pad our headers so that the data begins at a multiple of this.
inline constexpr size_t kHeaderAlignment = 8;
// The one name that is not a tensor's.
inline constexpr char kMetadataKey[] = "__metadata__";

// A length as it stands in the file, and back. REQUIRES for Decode: kLengthBytes bytes.
[[nodiscard]] inline std::string EncodeLength(uint64_t length) {
  std::string bytes(kLengthBytes, '\0');
  for (size_t i = 0; i < kLengthBytes; ++i) bytes[i] = static_cast<char>(length >> (8 * i));
  return bytes;
}
[[nodiscard]] inline uint64_t DecodeLength(const char* bytes) {
  uint64_t length = 0;
  for (size_t i = kLengthBytes; i-- > 0;) length = length << 8 | static_cast<uint8_t>(bytes[i]);
  return length;
}

}  // namespace rm::tensorfile

#endif  // RM_RUNTIME_TENSORFILE_HEADER_H_
