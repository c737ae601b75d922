// The disk of MemoryFileSystem: a tree of files and folders that knows what is durable.
//
// Each node has two states. What programs see: a file's `bytes`, a folder's `names`. What a power
// cut leaves: the first `synced` bytes of a file, the `durable_names` of a folder. The difference
// between the two states of a folder is its list of `pending` changes:
//   1. names = durable_names with all of `pending` applied, in order.
//   2. synced ≤ bytes.size(), and bytes before `synced` never change (files only grow, or are
//      truncated to nothing).
// Not thread-safe: the file system that owns the tree guards it.
#ifndef RM_BASE_MEMORY_DISK_H_
#define RM_BASE_MEMORY_DISK_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/time.h"

namespace rm::base {

struct DiskNode;
// Shared: a node lives while a name, a durable name or an open file refers to it, as an inode does.
using DiskNodePtr = std::shared_ptr<DiskNode>;

// Names that change together or not at all; nullptr is a removal. (A rename inside one folder is
// one change.)
using DiskChange = std::vector<std::pair<std::string, DiskNodePtr>>;

struct DiskNode {
  bool is_folder = false;
  absl::Time modified;

  // A file's content.
  std::string bytes;
  size_t synced = 0;

  // A folder's content.
  std::map<std::string, DiskNodePtr> names;
  std::map<std::string, DiskNodePtr> durable_names;
  std::vector<DiskChange> pending;

  // The node of that name in this folder, or nullptr.
  [[nodiscard]] DiskNodePtr Child(const std::string& name) const;

  // Changes names, for now only in what programs see.
  void Change(DiskChange change);

  // Makes all there is durable: the bytes of a file, the names of a folder (not what is inside
  // them).
  void Sync();

  // Empties a file. Durable at once: a disk may well write the truncation before anything else, so
  // whoever overwrites a file in place must expect to lose it.
  void Truncate();
};

// Removes every name inside `folder`, deepest first.
void RemoveContents(DiskNode& folder);

// Bytes of all files in and below a node.
[[nodiscard]] uint64_t BytesBelow(const DiskNode& node);

// The tree under `root` as a power cut leaves it. With torn_seed ≠ 0 a pseudo-random prefix of each
// file's unsynced bytes and of each folder's pending changes survives; with 0, nothing that was not
// synced does.
void LosePower(DiskNode& root, uint64_t torn_seed);

}  // namespace rm::base

#endif  // RM_BASE_MEMORY_DISK_H_
