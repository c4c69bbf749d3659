package io.millrace.jobs.swebench;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class UnifiedDiffTest {

    @Test
    void of_changedCreatedAndDeletedFiles_theirNames() {
        UnifiedDiff diff = UnifiedDiff.of("""
                diff --git a/x/changed.py b/x/changed.py
                --- a/x/changed.py
                +++ b/x/changed.py
                @@ -1,3 +1,3 @@
                 kept
                --- a/looks/like/a/header
                +++ b/looks/like/a/header
                 kept
                diff --git a/new.py b/new.py
                new file mode 100644
                --- /dev/null
                +++ b/new.py
                @@ -0,0 +1 @@
                +one
                diff --git a/old.py b/old.py
                --- a/old.py\t2020-01-01
                +++ /dev/null
                @@ -1 +0,0 @@
                -one
                \\ No newline at end of file
                """);

        assertThat(diff.before()).containsExactly("x/changed.py", "old.py");
        assertThat(diff.created()).containsExactly("new.py");
        assertThat(diff.after()).containsExactly("x/changed.py", "new.py");
    }
}
