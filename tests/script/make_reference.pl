# Writes a text in the shape of the Debian Reference, as its renderer lays it out.
use strict;
use warnings;
use utf8;
binmode(STDOUT, ':utf8');
my $gap = "\x{a0}";
print <<"END";
Title

                             Author

Table of Contents

Preface
    1. Disclaimer
1. First chapter
    1.1. Lists

Preface

Table of Contents

1. Disclaimer
2. Another one

This paragraph of the preface is long enough that the renderer had to
break it into two lines.

1.${gap}Disclaimer

    One sentence.

Chapter${gap}1.${gap}First chapter

1.1.${gap}Lists

      * A first item that does not fit on one line of the text, so it
        goes on
      * A second item

          + A nested one

1.2.${gap}Listings

    Type what stands below, of which you can read more, see
    Section${gap}10.1.12, “A heading that is far too long for this”.

    \$ cat /etc/motd
    \$ dpkg -L vim

    [Unit]
    Description=Example

1.3.${gap}Tables

    Before the table.

    Table${gap}1.1.${gap}A caption

    +-----------------+
    | a   |     b     |
    |-----+-----------|
    |one  |two        |
    +-----------------+


    After the table.

1.4.${gap}Paths

    The mirror is named in the file that you will find here: "/etc/
    apt/sources.list" and read by the program, in bash(1) or sh(1) ls
    (1).

1.5.${gap}A heading that is so long that it takes a second line of the
text

    Body.

1.6.${gap}Admonitions

    Note${gap}${gap}

${gap} ${gap} The admonition's text.^[1]

-----------------------------------------------------------------

    ^[1] A footnote.

第${gap}2${gap}章${gap}中文

    这一段文字很长，因此排版程序把它分成几行，在 Debian 系统里使用
    apt 命令来安装软件包，并且不会在汉字之间加入空格，也不会在标点符
    号之前加入空格，就像这里的最后一行里的那一个句号，它自己占了一行
    。

2.1.${gap}Drawing

    Text.

    Keyboard           Application
       |                    ^
       +--------------------+

2.2.${gap}Near the end

    The eleventh document.

2.3.${gap}Empty

2.4.${gap}Last

    The twelfth document.
END
