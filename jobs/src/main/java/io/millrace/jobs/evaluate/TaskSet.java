package io.millrace.jobs.evaluate;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// The tasks that are asked for and the groups they are in, from the files named and those beside them.
///
/// @param tasks each once, in the order in which they are met
/// @param groups a group after the groups in it
record TaskSet(List<Task> tasks, List<TaskGroup> groups) {

    /// @param over what the command line puts over each task's own words
    /// @throws TaskException if a file cannot be read, or names what is not there
    static TaskSet read(List<Path> files, Task.Overrides over) {
        Reader reader = new Reader(over);
        for (Path file : files) {
            reader.member(
                    load(file, 0),
                    index(Objects.requireNonNull(file.toAbsolutePath().getParent(), "a file has a folder")),
                    Map.of(),
                    "");
        }
        return new TaskSet(List.copyOf(reader.tasks.values()), List.copyOf(reader.groups.values()));
    }

    /// A file over the files that it includes.
    private static Map<String, @Nullable Object> load(Path file, int depth) {
        if (depth > 16) {
            throw new TaskException(file + ": include: expected an end, got files that include each other");
        }
        Map<String, @Nullable Object> own = Yaml.read(file);
        Map<String, @Nullable Object> merged = new LinkedHashMap<>();
        for (String include : new Keys(file.toString(), own).texts("include")) {
            merged.putAll(load(file.toAbsolutePath().resolveSibling(include), depth + 1));
        }
        own.remove("include");
        merged.putAll(own);
        return merged;
    }

    /// Names of tasks, groups and tags in a folder and below, with their files, those of a tag by their
    /// tasks' names.
    private static Map<String, List<Path>> index(Path folder) {
        Map<String, SortedMap<String, Path>> index = new TreeMap<>();
        try (Stream<Path> files = Files.walk(folder)) {
            for (Path file :
                    files.filter(file -> file.toString().endsWith(".yaml")).toList()) {
                Keys keys = new Keys(file.toString(), load(file, 0));
                if (keys.value("group") instanceof String group) {
                    index.computeIfAbsent(group, _ -> new TreeMap<>()).put(group, file);
                } else if (keys.value("task") instanceof String task) {
                    index.computeIfAbsent(task, _ -> new TreeMap<>()).put(task, file);
                    for (String tag : keys.texts("tag")) {
                        index.computeIfAbsent(tag, _ -> new TreeMap<>()).put(task, file);
                    }
                }
            }
        } catch (IOException e) {
            throw new TaskException(folder + ": expected a readable folder, got " + e.getMessage(), e);
        }
        Map<String, List<Path>> files = new HashMap<>();
        index.forEach((name, found) -> files.put(name, List.copyOf(found.values())));
        return files;
    }

    private static final class Reader {
        private final Task.Overrides over;
        private final Map<String, Task> tasks = new LinkedHashMap<>();
        private final Map<String, TaskGroup> groups = new LinkedHashMap<>();

        Reader(Task.Overrides over) {
            this.over = over;
        }

        /// Takes in a task or a group, and says its name.
        ///
        /// @param inherited keys that a group gives its members
        /// @param within what stands before the name of a member that has no file of its own
        private String member(
                Map<String, @Nullable Object> config,
                Map<String, List<Path>> index,
                Map<String, @Nullable Object> inherited,
                String within) {
            Keys keys = new Keys("task file", config);
            if (config.get("group") instanceof String group) {
                return group(within + group, config, index, inherited);
            }
            String name = within + keys.required("task");
            Map<String, @Nullable Object> merged = new LinkedHashMap<>(config);
            merged.putAll(inherited);
            merged.put("task", name);
            tasks.put(name, Task.of(name, merged, over));
            return name;
        }

        private String group(
                String name,
                Map<String, @Nullable Object> config,
                Map<String, List<Path>> index,
                Map<String, @Nullable Object> inherited) {
            Map<String, @Nullable Object> handedOn = new LinkedHashMap<>(config);
            TaskGroup.KEYS.forEach(handedOn::remove);
            handedOn.putAll(inherited);
            List<String> members = new ArrayList<>();
            for (Object item : config.get("task") instanceof List<?> list ? list : List.of()) {
                members.addAll(members(name, item, index, handedOn));
            }
            List<String> leaves = new ArrayList<>();
            for (String member : members) {
                TaskGroup inner = groups.get(member);
                leaves.addAll(inner == null ? List.of(member) : inner.leaves());
            }
            groups.put(name, TaskGroup.of(name, new Keys("group " + name, config), members, leaves));
            return name;
        }

        private List<String> members(
                String group,
                @Nullable Object item,
                Map<String, List<Path>> index,
                Map<String, @Nullable Object> inherited) {
            if (item instanceof Map<?, ?> map) {
                Map<String, @Nullable Object> config = Yaml.mapping(map);
                String base = String.valueOf(config.getOrDefault("group", config.get("task")));
                if (!index.containsKey(base)) {
                    return List.of(member(config, index, inherited, group + "::"));
                }
                Map<String, @Nullable Object> both = new LinkedHashMap<>(inherited);
                config.remove("group");
                both.putAll(config);
                return named(group, base, index, both);
            }
            return named(group, String.valueOf(item), index, inherited);
        }

        private List<String> named(
                String group, String name, Map<String, List<Path>> index, Map<String, @Nullable Object> inherited) {
            List<Path> files = index.get(name);
            if (files == null) {
                throw new TaskException("group " + group + ": task: expected a task, group or tag of a file beside"
                        + " it, got " + name);
            }
            List<String> members = new ArrayList<>();
            for (Path file : files) {
                Map<String, @Nullable Object> keys = new LinkedHashMap<>(inherited);
                keys.remove("task");
                members.add(member(load(file, 0), index, keys, ""));
            }
            return members;
        }
    }
}
