// The machine: a stack, marks, a memo. Each opcode is one function; a byte that is not in the table is refused.
#include "archive/unpickler.h"

#include <sys/mman.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <utility>

#include "archive/pickle_item.h"

namespace threadwheel::archive {
namespace {

// Every node costs a byte of pickle and about a hundred of memory.
constexpr std::size_t kMaxNodes = 10'000'000;

enum Opcode : std::uint8_t {
  kProto = 0x80,
  kGlobal = 'c',
  kNewObj = 0x81,
  kReduce = 'R',
  kBuild = 'b',
  kBinPersId = 'Q',
  kMark = '(',
  kTuple = 't',
  kTuple1 = 0x85,
  kTuple2 = 0x86,
  kTuple3 = 0x87,
  kEmptyTuple = ')',
  kEmptyList = ']',
  kEmptyDict = '}',
  kList = 'l',
  kDict = 'd',
  kAppend = 'a',
  kAppends = 'e',
  kSetItem = 's',
  kSetItems = 'u',
  kBinUnicode = 'X',
  kBinInt = 'J',
  kBinInt1 = 'K',
  kBinInt2 = 'M',
  kLong1 = 0x8a,
  kBinFloat = 'G',
  kNewTrue = 0x88,
  kNewFalse = 0x89,
  kNone = 'N',
  kBinPut = 'q',
  kLongBinPut = 'r',
  kBinGet = 'h',
  kLongBinGet = 'j',
  kStop = '.',
};

class Machine {
 public:
  Machine(std::span<const std::byte> pickle, const std::string& where, const StorageSource& storages)
      : pickle_(pickle), site_{where, 0}, storages_(storages) {}

  NodePtr run();

 private:
  void step(std::uint8_t opcode);
  Node::Value take_literal(std::uint8_t opcode);

  // Reading the pickle.
  const std::byte* take(std::size_t size);
  template <class T>
  T take_little() {
    return load_little<T>(take(sizeof(T)));
  }
  std::string_view take_line();
  std::int64_t take_long();
  double take_double();

  // The stack.
  void push(Node::Value value, int depth = 1);
  Item pop();
  std::vector<Item> pop_last(std::size_t count);
  std::vector<Item> pop_to_mark();
  template <class T>
  T& top_to_change(const char* expected);
  NodePtr to_value(const Item& item, Node& parent) const;
  std::vector<Item> to_arguments(const Item& item) const;
  void put(std::size_t index);
  void get(std::size_t index);

  // Opcodes.
  void push_tuple(std::vector<Item> items);
  void push_list(const std::vector<Item>& items);
  void push_dict(const std::vector<Item>& items);
  void append(const std::vector<Item>& items);
  void set_items(const std::vector<Item>& items);
  void push_global();
  void new_object();
  void build();
  void load_storage();
  void reduce();
  void call(const std::shared_ptr<const Global>& callee, const std::vector<Item>& arguments);
  void set_tag(const Item& item, SharedText tag);
  void push_enum(const std::shared_ptr<const Global>& callee, const Item& argument);
  void push_device(const std::vector<Item>& arguments);
  void push_complex(const std::vector<Item>& arguments);

  std::span<const std::byte> pickle_;
  std::size_t position_ = 0;
  Site site_;
  const StorageSource& storages_;
  std::vector<Item> stack_;
  std::vector<std::size_t> marks_;
  std::vector<Item> memo_;  // a null node where nothing is
  std::size_t num_nodes_ = 0;
};

// No call needs more arguments; nobody may make a long tuple be copied again and again.
constexpr std::size_t kMaxArguments = 8;
// Device names and keys of storages are a few characters long.
constexpr std::size_t kMaxWord = 256;

bool is_key(const Node& node) {
  return node.as<bool>() != nullptr || node.as<std::int64_t>() != nullptr || node.as<double>() != nullptr ||
         node.as<std::complex<double>>() != nullptr || node.as<std::string>() != nullptr ||
         node.as<Tensor>() != nullptr;
}

const std::byte* Machine::take(std::size_t size) {
  if (size > pickle_.size() - position_)
    site_.refuse("the pickle ends in the middle of an opcode; the file is damaged, copy or save it again");
  const std::byte* const data = pickle_.data() + position_;
  position_ += size;
  return data;
}

std::string_view Machine::take_line() {
  const std::string_view rest(reinterpret_cast<const char*>(pickle_.data() + position_), pickle_.size() - position_);
  const std::size_t length = std::min(rest.find('\n'), rest.size());
  take(length + 1);
  return rest.substr(0, length);
}

std::int64_t Machine::take_long() {
  const auto size = take_little<std::uint8_t>();
  if (size > sizeof(std::int64_t)) site_.refuse("an int has " + std::to_string(size) + " bytes; at most 8 are allowed");
  if (size == 0) return 0;
  std::uint64_t value = 0;
  std::memcpy(&value, take(size), size);
  const unsigned unused = 64 - 8U * size;
  return static_cast<std::int64_t>(value << unused) >> unused;  // brings the sign up
}

double Machine::take_double() {
  const auto bits = __builtin_bswap64(take_little<std::uint64_t>());  // the one big-endian number of the format
  return load_little<double>(reinterpret_cast<const std::byte*>(&bits));
}

void Machine::push(Node::Value value, int depth) {
  if (++num_nodes_ > kMaxNodes)
    site_.refuse("the pickle has more than " + std::to_string(kMaxNodes) + " values; no more are allowed");
  if (depth > kMaxDepth)
    site_.refuse("values are nested more than " + std::to_string(kMaxDepth) + " deep; no more is allowed");
  stack_.emplace_back(std::make_shared<Node>(Node{std::move(value), depth}));
}

Item Machine::pop() {
  if (stack_.size() <= (marks_.empty() ? 0 : marks_.back())) site_.refuse("an opcode finds too few values before it");
  Item item = std::move(stack_.back());
  stack_.pop_back();
  return item;
}

std::vector<Item> Machine::pop_last(std::size_t count) {
  std::vector<Item> items(count);
  while (count-- > 0) items[count] = pop();
  return items;
}

std::vector<Item> Machine::pop_to_mark() {
  if (marks_.empty()) site_.refuse("an opcode finds no mark before it");
  const auto first = stack_.begin() + static_cast<std::ptrdiff_t>(marks_.back());
  marks_.pop_back();
  std::vector<Item> items(std::make_move_iterator(first), std::make_move_iterator(stack_.end()));
  stack_.erase(first, stack_.end());
  return items;
}

// The value on top, which must be a T. One that others refer to already stays as it is: only cycles need such a change.
template <class T>
T& Machine::top_to_change(const char* expected) {
  Item item = pop();
  const auto* const node = std::get_if<std::shared_ptr<Node>>(&item);
  T* const value = node == nullptr ? nullptr : std::get_if<T>(&(*node)->value);
  if (value == nullptr) site_.refuse(std::string("an opcode finds ") + describe(item) + "; expected " + expected);
  if ((*node)->shared) site_.refuse(std::string(expected) + " would contain itself; cycles are not allowed");
  stack_.push_back(std::move(item));
  return *value;
}

// The value in the item, which becomes a part of `parent`.
NodePtr Machine::to_value(const Item& item, Node& parent) const {
  const auto* const node = std::get_if<std::shared_ptr<Node>>(&item);
  if (node == nullptr) site_.refuse(std::string("a value contains ") + describe(item) + "; expected values in it");
  parent.depth = std::max(parent.depth, (*node)->depth + 1);
  if (parent.depth > kMaxDepth)
    site_.refuse("values are nested more than " + std::to_string(kMaxDepth) + " deep; no more is allowed");
  return *node;
}

void Machine::put(std::size_t index) {
  // Writers count from 0 and every number takes a byte or more: a larger one is made up to exhaust memory.
  if (index >= pickle_.size())
    site_.refuse("memo number " + std::to_string(index) + " in a pickle of " + std::to_string(pickle_.size()) +
                 " bytes");
  Item item = pop();
  if (index >= memo_.size()) memo_.resize(index + 1);
  memo_[index] = item;
  stack_.push_back(std::move(item));
}

void Machine::get(std::size_t index) {
  if (index >= memo_.size() || memo_[index] == Item())
    site_.refuse("memo number " + std::to_string(index) + " is used before it is set");
  if (const auto* const node = std::get_if<std::shared_ptr<Node>>(&memo_[index])) (*node)->shared = true;
  stack_.push_back(memo_[index]);
}

void Machine::push_tuple(std::vector<Item> items) {
  const bool values =
      std::ranges::all_of(items, [](const Item& item) { return std::holds_alternative<std::shared_ptr<Node>>(item); });
  if (!values) {
    stack_.emplace_back(std::make_shared<const Parts>(Parts{std::move(items)}));
    return;
  }
  push(Tuple());
  Node& node = *std::get<std::shared_ptr<Node>>(stack_.back());
  auto& parts = std::get<Tuple>(node.value).items;
  parts.reserve(items.size());
  for (const Item& item : items) parts.push_back(to_value(item, node));
}

void Machine::push_list(const std::vector<Item>& items) {
  push(List());
  append(items);
}

void Machine::push_dict(const std::vector<Item>& items) {
  push(Dict());
  set_items(items);
}

void Machine::append(const std::vector<Item>& items) {
  auto& list = top_to_change<List>("a list").items;
  Node& node = *std::get<std::shared_ptr<Node>>(stack_.back());
  for (const Item& item : items) list.push_back(to_value(item, node));
}

void Machine::set_items(const std::vector<Item>& items) {
  auto& dict = top_to_change<Dict>("a dict").items;
  Node& node = *std::get<std::shared_ptr<Node>>(stack_.back());
  if (items.size() % 2 != 0) site_.refuse("a dict has a key without a value");
  for (std::size_t i = 0; i < items.size(); i += 2) {
    NodePtr key = to_value(items[i], node);
    if (!is_key(*key))
      site_.refuse(std::string("a key of a dict is ") + describe(items[i]) +
                   "; expected a number, a string or a tensor");
    dict.emplace_back(std::move(key), to_value(items[i + 1], node));
  }
}

void Machine::push_global() {
  const std::string_view module = take_line();
  stack_.emplace_back(find_global(module, take_line(), site_));
}

void Machine::new_object() {
  const Item arguments = pop(), type = pop();
  const auto* const tuple = value_of<Tuple>(arguments);
  const auto* const global = std::get_if<std::shared_ptr<const Global>>(&type);
  if (tuple == nullptr || !tuple->items.empty())
    site_.refuse(std::string("an object is made of ") + describe(arguments) + "; expected an empty tuple");
  if (global == nullptr || (*global)->callee != Callee::kClass)
    site_.refuse(std::string("an object is of ") + describe(type) + "; expected a class of '__torch__'");
  push(Object{SharedText(*global, &(*global)->name), nullptr});
}

void Machine::build() {
  const Item state = pop();
  auto& object = top_to_change<Object>("an object");
  if (object.state != nullptr) site_.refuse("an object has two states; expected one");
  object.state = to_value(state, *std::get<std::shared_ptr<Node>>(stack_.back()));
}

// ('storage', type, key, device, numel)
void Machine::load_storage() {
  const std::vector<Item> id = to_arguments(pop());
  const auto* const kind = id.size() == 5 ? value_of<std::string>(id[0]) : nullptr;
  if (kind == nullptr || *kind != "storage")
    site_.refuse("a persistent id is not ('storage', type, key, device, count); only storages can be referred to");
  const auto* const type = std::get_if<std::shared_ptr<const Global>>(&id[1]);
  const auto* const key = value_of<std::string>(id[2]);
  const auto* const numel = value_of<std::int64_t>(id[4]);
  if (type == nullptr || (*type)->callee != Callee::kStorageType)
    site_.refuse(std::string("a storage is of ") + describe(id[1]) + "; expected a storage type of torch");
  if (key == nullptr || key->size() > kMaxWord) site_.refuse("a storage's key is not a short string");
  const DType dtype = (*type)->dtype;
  std::size_t size_bytes = 0;
  if (numel == nullptr || *numel < 0 || __builtin_mul_overflow(*numel, dtype_size(dtype), &size_bytes))
    site_.refuse("the number of elements of storage " + quote(*key) +
                 " is not an int of 0 or more that fits in memory");
  stack_.emplace_back(std::make_shared<const TypedStorage>(TypedStorage{storages_(*key, size_bytes), dtype, *numel}));
}

std::vector<Item> Machine::to_arguments(const Item& item) const {
  const auto* const parts = std::get_if<std::shared_ptr<const Parts>>(&item);
  const auto* const tuple = value_of<Tuple>(item);
  if (parts == nullptr && tuple == nullptr)
    site_.refuse(std::string("arguments are ") + describe(item) + "; expected a tuple");
  const std::size_t size = parts != nullptr ? (*parts)->items.size() : tuple->items.size();
  if (size > kMaxArguments)
    site_.refuse("there are " + std::to_string(size) + " arguments; at most " + std::to_string(kMaxArguments) +
                 " are allowed");
  if (parts != nullptr) return (*parts)->items;
  std::vector<Item> items;
  items.reserve(size);
  for (const NodePtr& node : tuple->items) items.emplace_back(std::const_pointer_cast<Node>(node));
  return items;
}

void Machine::reduce() {
  const Item arguments = pop(), callee = pop();
  const auto* const global = std::get_if<std::shared_ptr<const Global>>(&callee);
  if (global == nullptr) site_.refuse(std::string("what is called is ") + describe(callee) + "; expected a global");
  if ((*global)->callee == Callee::kClass) {
    push_enum(*global, arguments);
  } else {
    call(*global, to_arguments(arguments));
  }
}

void Machine::call(const std::shared_ptr<const Global>& callee, const std::vector<Item>& arguments) {
  switch (callee->callee) {
    case Callee::kRebuildTensor: return push(rebuild_tensor(arguments, site_));
    case Callee::kRebuildQuantized: return push(rebuild_quantized(arguments, site_));
    case Callee::kOrderedDict:
      if (!arguments.empty()) site_.refuse("an OrderedDict is made of arguments; expected none");
      return push(Dict());
    case Callee::kDevice: return push_device(arguments);
    case Callee::kComplex: return push_complex(arguments);
    case Callee::kTypedList:
      if (arguments.size() != 1 || value_of<List>(arguments[0]) == nullptr)
        site_.refuse(quote(callee->name) + " is called without a list; expected one");
      return set_tag(arguments[0], SharedText(callee, &callee->type_tag));
    case Callee::kTypeTag: {
      const auto* const node = arguments.size() == 2 ? std::get_if<std::shared_ptr<Node>>(&arguments[1]) : nullptr;
      const auto* const tag = node == nullptr ? nullptr : (*node)->as<std::string>();
      if (tag == nullptr) site_.refuse("restore_type_tag is not called with a value and a string");
      return set_tag(arguments[0], SharedText(*node, tag));
    }
    default: site_.refuse(quote(callee->name) + " is called and is no function");
  }
}

// Pushes the list or the dict again, with its tag.
void Machine::set_tag(const Item& item, SharedText tag) {
  const auto* const node = std::get_if<std::shared_ptr<Node>>(&item);
  auto* const list = node == nullptr ? nullptr : std::get_if<List>(&(*node)->value);
  auto* const dict = node == nullptr ? nullptr : std::get_if<Dict>(&(*node)->value);
  if (list == nullptr && dict == nullptr)
    site_.refuse(std::string("a type tag is on ") + describe(item) + "; expected a list or a dict");
  SharedText& place = list != nullptr ? list->type_tag : dict->type_tag;
  if (place != nullptr && *place != *tag)
    site_.refuse("a value has the type tags " + quote(*place) + " and " + quote(*tag) + "; expected one");
  place = std::move(tag);
  (*node)->shared = true;  // the tuple of arguments refers to it, and the memo may to that
  stack_.push_back(item);
}

// torch stores a member of an enumeration as a call of its class with the bare value.
void Machine::push_enum(const std::shared_ptr<const Global>& callee, const Item& argument) {
  const auto* const node = std::get_if<std::shared_ptr<Node>>(&argument);
  if (node == nullptr || ((*node)->as<std::int64_t>() == nullptr && (*node)->as<double>() == nullptr &&
                          (*node)->as<std::string>() == nullptr))
    site_.refuse(quote(callee->name) + " is called with " + describe(argument) +
                 "; expected the value of an enumeration, an int, a float or a string");
  push(Enum{SharedText(callee, &callee->name), *node}, (*node)->depth + 1);
}

// ("cpu",) or ("cuda", 1)
void Machine::push_device(const std::vector<Item>& arguments) {
  const auto* const name = arguments.empty() ? nullptr : value_of<std::string>(arguments[0]);
  const auto* const index = arguments.size() == 2 ? value_of<std::int64_t>(arguments[1]) : nullptr;
  if (name == nullptr || name->size() > kMaxWord || (arguments.size() != 1 && index == nullptr))
    site_.refuse("torch.device is not called with a name and at most an index");
  push(Device{index == nullptr ? *name : *name + ":" + std::to_string(*index)});
}

void Machine::push_complex(const std::vector<Item>& arguments) {
  const auto* const real = arguments.size() == 2 ? value_of<double>(arguments[0]) : nullptr;
  const auto* const imaginary = arguments.size() == 2 ? value_of<double>(arguments[1]) : nullptr;
  if (real == nullptr || imaginary == nullptr) site_.refuse("complex is not called with two floats");
  push(std::complex<double>(*real, *imaginary));
}

void Machine::step(std::uint8_t opcode) {
  switch (opcode) {
    case kGlobal: return push_global();
    case kNewObj: return new_object();
    case kReduce: return reduce();
    case kBuild: return build();
    case kBinPersId: return load_storage();
    case kMark: return marks_.push_back(stack_.size());
    case kTuple: return push_tuple(pop_to_mark());
    case kTuple1: return push_tuple(pop_last(1));
    case kTuple2: return push_tuple(pop_last(2));
    case kTuple3: return push_tuple(pop_last(3));
    case kEmptyTuple: return push_tuple({});
    case kEmptyList: return push(List());
    case kEmptyDict: return push(Dict());
    case kList: return push_list(pop_to_mark());
    case kDict: return push_dict(pop_to_mark());
    case kAppend: return append(pop_last(1));
    case kAppends: return append(pop_to_mark());
    case kSetItem: return set_items(pop_last(2));
    case kSetItems: return set_items(pop_to_mark());
    case kBinPut: return put(take_little<std::uint8_t>());
    case kLongBinPut: return put(take_little<std::uint32_t>());
    case kBinGet: return get(take_little<std::uint8_t>());
    case kLongBinGet: return get(take_little<std::uint32_t>());
    default: return push(take_literal(opcode));
  }
}

Node::Value Machine::take_literal(std::uint8_t opcode) {
  switch (opcode) {
    case kNone: return None();
    case kNewTrue: return true;
    case kNewFalse: return false;
    case kBinInt: return std::int64_t{take_little<std::int32_t>()};
    case kBinInt1: return std::int64_t{take_little<std::uint8_t>()};
    case kBinInt2: return std::int64_t{take_little<std::uint16_t>()};
    case kLong1: return take_long();
    case kBinFloat: return take_double();
    case kBinUnicode: {
      const auto size = take_little<std::uint32_t>();
      return std::string(reinterpret_cast<const char*>(take(size)), size);
    }
    default:
      site_.refuse("opcode " + quote(std::string_view(reinterpret_cast<const char*>(&opcode), 1)) +
                   " is none that TorchScript archives use; do not use the file if you do not trust where it is from");
  }
}

NodePtr Machine::run() {
  if (take_little<std::uint8_t>() != kProto || take_little<std::uint8_t>() != 2)
    site_.refuse("does not begin as a pickle of protocol 2; the file is damaged, copy or save it again");
  for (;;) {
    site_.offset = position_;
    const auto opcode = take_little<std::uint8_t>();
    if (opcode == kStop) break;
    step(opcode);
  }
  const Item item = pop();
  const auto* const node = std::get_if<std::shared_ptr<Node>>(&item);
  if (!stack_.empty() || !marks_.empty() || node == nullptr)
    site_.refuse("the pickle does not end with one value; the file is damaged, copy or save it again");
  if (position_ != pickle_.size())
    site_.refuse("the pickle ends " + std::to_string(pickle_.size() - position_) +
                 " bytes before its record does; the file "
                 "is damaged, copy or save it again");
  return *node;
}

}  // namespace

const char* describe(const Item& item) {
  if (std::holds_alternative<std::shared_ptr<const Global>>(item)) return "a name of a class or function";
  if (std::holds_alternative<std::shared_ptr<const TypedStorage>>(item)) return "a storage";
  if (std::holds_alternative<std::shared_ptr<const Parts>>(item)) return "a tuple with a storage or a name in it";
  // In the order of Node::Value.
  constexpr std::array kNames = {"None",
                                 "a bool",
                                 "an int",
                                 "a float",
                                 "a complex number",
                                 "a string",
                                 "a tensor",
                                 "a quantized tensor",
                                 "a device",
                                 "a list",
                                 "a tuple",
                                 "a dict",
                                 "an object",
                                 "a member of an enumeration"};
  static_assert(kNames.size() == std::variant_size_v<Node::Value>);
  return kNames[std::get<std::shared_ptr<Node>>(item)->value.index()];
}

namespace {

constexpr std::size_t kMaxTracedBytes = std::size_t{1} << 30;

// Read-only zeros that take no memory until they are read, and then one page.
std::shared_ptr<Storage> map_zeros() {
  void* const data = ::mmap(nullptr, kMaxTracedBytes, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (data == MAP_FAILED) throw Error(ErrorCode::kRuntime, "traced inputs: cannot map zeros for them");
  return Storage::wrap(data, kMaxTracedBytes, false, [data] { ::munmap(data, kMaxTracedBytes); });
}

NodePtr unpickle_record(const Archive& archive, const std::string& name, const StorageSource& storages) {
  const std::shared_ptr<Storage> record = archive.read(name);
  return unpickle({record->data(), record->size_bytes()}, archive.where() + ", record " + quote(name), storages);
}

}  // namespace

NodePtr unpickle(std::span<const std::byte> pickle, const std::string& where, const StorageSource& storages) {
  return Machine(pickle, where, storages).run();
}

NodePtr unpickle(Archive& archive, const std::string& pickle, const std::string& model) {
  const std::string folder = archive.storage_folder(model, pickle);
  return unpickle_record(
      archive, archive.pickle_folder(model) + pickle + ".pkl",
      [&](const std::string& key, std::size_t size_bytes) { return archive.storage(folder + key, size_bytes); });
}

NodePtr unpickle_traced_inputs(Archive& archive) {
  const auto zeros = map_zeros();
  const std::string name = "traced_inputs.pkl";
  return unpickle_record(archive, name, [&](const std::string& key, std::size_t size_bytes) {
    if (size_bytes > kMaxTracedBytes)
      refuse(archive.where() + ", record " + quote(name), "input " + quote(key) + " has " + std::to_string(size_bytes) +
                                                              " bytes; at most " + std::to_string(kMaxTracedBytes) +
                                                              " are allowed");
    return zeros;
  });
}

}  // namespace threadwheel::archive
