"""Names of the made-up families: of many cultures, with the apostrophes, accents and particles that break naive code."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Naming:
    """How one culture names people. `share` is its weight among the families; `one_name` whether couples share it."""

    share: int
    families: tuple[str, ...]
    women: tuple[str, ...]
    men: tuple[str, ...]
    girls: tuple[str, ...]
    boys: tuple[str, ...]
    one_name: bool = True


def _words(text: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in text.split(",") if word.strip())


NAMINGS = (
    Naming(
        26,
        _words("Johnson, Miller, Davis, Wilson, Anderson, Taylor, Moore, Jackson, Harris, Clark, Lewis, Walker, Hall, Young, Allen, "
               "King, Wright, Scott, Green, Baker, Adams, Nelson, Carter, Mitchell, Roberts, Turner, Phillips, Campbell"),
        _words("Jennifer, Amanda, Melissa, Nicole, Heather, Rachel, Lauren, Erin, Tiffany, Monica, Brandi, Latoya, Denise, Karen"),
        _words("Michael, Christopher, Brian, Kevin, Jason, Eric, Derek, Andre, Marcus, Terrence, Scott, Gregory, Keith, Paul"),
        _words("Emma, Olivia, Ava, Harper, Zoe, Nevaeh, Riley, Aaliyah, Grace, Madison, Hannah, Imani, Paige, Skylar"),
        _words("Liam, Noah, Mason, Elijah, Jayden, Caleb, Isaiah, Owen, Tyler, Malik, Hunter, Darius, Wyatt, Cole"),
    ),
    Naming(
        20,
        _words("García, Rodríguez, Martínez, Hernández, López, González, Pérez, Sánchez, Ramírez, Torres, Flores, Rivera, Gómez, "
               "Núñez, Ortiz, Castillo, Peña, Muñoz, De la Cruz"),
        _words("María, Guadalupe, Rosa, Ana, Verónica, Lucía, Adriana, Leticia, Marisol, Yolanda, Concepción, Inés"),
        _words("José, Luis, Carlos, Jorge, Miguel, Héctor, Raúl, Andrés, Ángel, Ramón, Julio, Martín"),
        _words("Sofía, Valentina, Camila, Ximena, Daniela, Lucía, Isabella, Renata, Paloma, Belén, Mía"),
        _words("Mateo, Santiago, Diego, Sebastián, Ángel, Joaquín, Iker, Emiliano, Adrián, Tomás, Nicolás"),
        one_name=False,
    ),
    Naming(
        8,
        _words("O'Brien, O'Connor, O'Neill, Murphy, Kelly, Sullivan, McCarthy, Doyle, D'Arcy, Fitzgerald"),
        _words("Siobhán, Maeve, Kathleen, Bridget, Colleen, Niamh, Maureen"),
        _words("Sean, Patrick, Brendan, Declan, Kieran, Colm, Eoin"),
        _words("Fiona, Ciara, Erin, Saoirse, Nora, Róisín, Keira"),
        _words("Aidan, Finn, Conor, Rory, Liam, Cillian, Ronan"),
    ),
    Naming(
        8,
        _words("Nguyễn, Trần, Lê, Phạm, Huỳnh, Võ, Đặng, Bùi"),
        _words("Thị Lan, Hương, Ngọc, Thúy, Kim Anh, Phượng, Hồng"),
        _words("Văn Minh, Tuấn, Hùng, Quang, Đức, Thành, Sơn"),
        _words("Linh, Mai, Thảo, Vy, Trâm, Bảo Ngọc, My"),
        _words("Nam, Khoa, Bảo, Huy, Minh, Phúc, Long"),
        one_name=False,
    ),
    Naming(
        5,
        _words("van der Berg, de Vries, van Dijk, ter Horst, van den Heuvel, Dijkstra"),
        _words("Annemiek, Sanne, Marijke, Femke, Lotte"),
        _words("Pieter, Joost, Willem, Bram, Daan"),
        _words("Eva, Lieke, Saskia, Roos, Noor"),
        _words("Thijs, Lars, Sem, Jasper, Koen"),
    ),
    Naming(
        7,
        _words("Nowak, Wójcik, Kowalczyk, Król, Mazur, Pająk, Gołąb, Wróbel"),
        _words("Agnieszka, Małgorzata, Katarzyna, Ewa, Joanna, Beata"),
        _words("Paweł, Tomasz, Krzysztof, Marek, Łukasz, Wojciech"),
        _words("Zuzanna, Maja, Oliwia, Hanna, Julia, Kinga"),
        _words("Jakub, Kacper, Filip, Szymon, Michał, Antoni"),
    ),
    Naming(
        6,
        _words("Yusuf, Hassan, Abdi, Warsame, Farah, Ali, Mohamed"),
        _words("Amina, Fadumo, Hodan, Ifrah, Sahra, Khadija"),
        _words("Abdirahman, Ahmed, Omar, Said, Ismail, Yasin"),
        _words("Ayan, Hamdi, Sumaya, Zamzam, Nasra, Idil"),
        _words("Bilal, Hamza, Zakariya, Khalid, Mustafa, Liban"),
        one_name=False,
    ),
    Naming(
        5,
        _words("Haddad, Khoury, Al-Masri, Najjar, El-Sayed, Nasser"),
        _words("Layla, Rania, Samira, Hala, Dalia"),
        _words("Karim, Tariq, Sami, Nabil, Fadi"),
        _words("Yasmin, Noor, Salma, Jana, Lina"),
        _words("Adam, Zayd, Rayan, Elias, Yousef"),
    ),
    Naming(
        6,
        _words("Patel, Sharma, Reddy, Krishnan, Singh, Iyer, Gupta, Das"),
        _words("Priya, Kavita, Sunita, Deepa, Lakshmi, Neha"),
        _words("Rajesh, Sanjay, Anil, Vikram, Suresh, Harpreet"),
        _words("Anaya, Diya, Meera, Riya, Saanvi, Isha"),
        _words("Arjun, Rohan, Aarav, Dev, Kabir, Nikhil"),
    ),
    Naming(
        5,
        _words("Chen, Wang, Liu, Zhang, Lin, Wu, Huang"),
        _words("Mei-Ling, Xiaohong, Li Hua, Yan, Jing"),
        _words("Wei, Jianguo, Ming, Zhiqiang, Hao"),
        _words("Emily, Grace, Yu-Na, Ivy, Jia"),
        _words("Kevin, Andrew, Zi-Han, Lucas, Bo"),
        one_name=False,
    ),
    Naming(
        5,
        _words("Vang, Xiong, Yang, Lor, Thao, Moua"),
        _words("Mai Yia, Pa Houa, Bao, Kia, See"),
        _words("Tou, Chue, Pao, Kong, Nhia"),
        _words("Gao Nou, Paj, Nkauj, Sheng, Mee"),
        _words("Tou Ger, Xeng, Meng, Fue, Pheng"),
        one_name=False,
    ),
    Naming(
        5,
        _words("Okafor, Adeyemi, Nwosu, Balogun, Eze, Mensah"),
        _words("Ngozi, Folake, Chioma, Adaeze, Abena"),
        _words("Emeka, Tunde, Chidi, Kwame, Obinna"),
        _words("Amara, Zuri, Ifeoma, Temi, Efua"),
        _words("Kelechi, Tobi, Ikenna, Kofi, Dayo"),
    ),
    Naming(
        4,
        _words("Jean-Baptiste, Pierre-Louis, Desrosiers, Toussaint, L'Heureux"),
        _words("Marie-Ange, Nadège, Mirlande, Édith, Carline"),
        _words("Jean-Claude, Réginald, Wilner, Frantz, Émile"),
        _words("Noémie, Chloé, Anaïs, Gaëlle, Esther"),
        _words("Théo, Loïc, Jérémie, Samuel, Stéphane"),
    ),
    Naming(
        4,
        _words("Kovalenko, Shevchenko, Bondarenko, Melnyk, Petrenko"),
        _words("Oksana, Olena, Iryna, Nataliya, Svitlana"),
        _words("Andriy, Serhiy, Oleksandr, Mykola, Dmytro"),
        _words("Sofiya, Daryna, Anastasiya, Polina, Zlata"),
        _words("Maksym, Artem, Bohdan, Danylo, Nazar"),
    ),
    Naming(
        4,
        _words("dos Santos, da Silva, Araújo, Conceição, Gonçalves"),
        _words("Fernanda, Luciana, Patrícia, Débora, Sílvia"),
        _words("João, Rafael, Thiago, Fábio, Antônio"),
        _words("Beatriz, Larissa, Júlia, Letícia, Manuela"),
        _words("Pedro, Davi, Caio, Vinícius, Estêvão"),
    ),
    Naming(
        4,
        _words("Søndergaard, Lindström, Bjørnson, Sørensen, Åkesson"),
        _words("Astrid, Ingrid, Kirsten, Sólveig, Märta"),
        _words("Lars, Henrik, Björn, Anders, Sören"),
        _words("Freja, Elsa, Signe, Linnéa, Tuva"),
        _words("Oskar, Axel, Nils, Håkon, Emil"),
    ),
)  # fmt: skip
